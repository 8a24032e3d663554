// SPDX-License-Identifier: MIT
// For the sources of this folder alone.
#pragma once

#include <cerrno>
#include <system_error>

namespace cachetool::system {

/// Returns why the last system call failed.
[[nodiscard]] inline std::error_code last_error() { return {errno, std::generic_category()}; }

/// Returns no error if `result`, of a system call, says success, or else why it failed.
[[nodiscard]] inline std::error_code error_unless_zero(int result) {
    return result == 0 ? std::error_code() : last_error();
}

}  // namespace cachetool::system
