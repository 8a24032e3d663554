// SPDX-License-Identifier: MIT
// What `gc --dedupe` does after the collection.
#pragma once

#include <larder/cache.hpp>

#include "cachetool/cli/arguments.hpp"
#include "cachetool/term/failure.hpp"
#include "cachetool/term/output.hpp"

namespace cachetool {

/// Returns the options of a dedupe. Nullopt if --dedupe is not given. Errors: usage, if it is given
/// with an option that forbids changes, or if --budget is given without it.
[[nodiscard]] Expected<std::optional<larder::DedupeOptions>> dedupe_options_of(
    const ParsedArguments& arguments);

/// Lets equal files share their blocks, and tells the user what it has done. A signal stops it at
/// the next file; then this ends the process by the signal. If something fails, everything else is
/// done all the same, and this tells of each failure but the first, and returns that.
[[nodiscard]] Expected<larder::DedupeReport> dedupe(const larder::Cache& cache,
                                                    const CommandOutput& output,
                                                    larder::DedupeOptions options);

}  // namespace cachetool
