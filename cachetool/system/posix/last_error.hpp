// SPDX-License-Identifier: MIT
// For the sources of this folder alone.
#pragma once

#include <cerrno>
#include <system_error>

namespace cachetool::system {

/// Returns why the last system call failed.
[[nodiscard]] inline std::error_code last_error() { return {errno, std::generic_category()}; }

/// Makes a call again as long as a signal interrupts it. Returns what the last call returned, and
/// leaves its errno. Gives up after max_interruptions, because a file system may always answer so.
template <class Call>
auto retry(Call call) {
    constexpr int max_interruptions = 1000;  // arbitrary: as the library does
    for (int interruptions = 0;; ++interruptions) {
        const auto result = call();
        if (result != -1 || errno != EINTR || interruptions == max_interruptions) return result;
    }
}

/// Returns no error if `result`, of a system call, says success, or else why it failed.
[[nodiscard]] inline std::error_code error_unless_zero(int result) {
    return result == 0 ? std::error_code() : last_error();
}

}  // namespace cachetool::system
