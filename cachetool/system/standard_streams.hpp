// SPDX-License-Identifier: MIT
// Standard input, output and error of this process.
#pragma once

#include <string_view>
#include <system_error>

namespace cachetool::system {

enum class StandardStream { output, error };

/// Makes the standard streams safe to use. Call it first in main. Afterwards the three descriptors
/// are open: if one was closed, using it fails. (Without this, one of the cache's own files would
/// take its number, and get the output.) A broken pipe is an error and does not end the process.
/// A program that this process becomes or runs inherits neither.
void prepare_standard_streams();

/// Writes all of `text`, without a buffer. Returns why it could not be written, or no error.
[[nodiscard]] std::error_code write_all(StandardStream stream, std::string_view text);

/// Returns why what was written to standard output is lost, or no error. A full disk may show
/// itself only when a file is closed. Returns no error if the system refuses this check.
[[nodiscard]] std::error_code confirm_output();

}  // namespace cachetool::system
