// SPDX-License-Identifier: MIT
// Turns the system's error numbers into words and into Errors. The code above os/ branches on these
// words alone.
#pragma once

#include <system_error>

#include "base/error.hpp"

namespace larder::os {

// The functions below would otherwise hide those of base/error.hpp.
using larder::fail;
using larder::why_of;

/// The result of a call that is made very often, or that fails very often. An Error has a path, for
/// which memory is allocated. An error_code has only the system's number.
template <class T = void>
using CallResult = tl::expected<T, std::error_code>;

/// Calls `ask(error)`, which uses <filesystem>, again as long as a signal interrupts it. Returns
/// what the last call returned, and leaves its error in `error`. Gives up after as many calls as
/// the loop in posix/fd.hpp does.
template <class Ask>
auto retried(std::error_code& error, Ask ask) {
    constexpr int max_interruptions = 1000;
    for (int interruptions = 0;; ++interruptions) {
        error.clear();
        auto answer = ask(error);
        if (error != std::errc::interrupted || interruptions == max_interruptions) return answer;
    }
}

/// Returns the word for an error number of the system; Why::none for 0.
[[nodiscard]] Why why_of(int number) noexcept;
[[nodiscard]] Why why_of(const std::error_code& error) noexcept;
template <class T>
[[nodiscard]] Why why_of(const CallResult<T>& result) noexcept {
    return result ? Why::none : why_of(result.error());
}

/// Returns an error with the system's number, and with the code and the word that belong to it.
/// Every Error of a system call is made by this function.
[[nodiscard]] tl::unexpected<Error> fail(int sys_errno, const char* step,
                                         std::filesystem::path path, std::string detail = {});
/// Does the same for a call that has a second way, such as a clone, which a copy can replace. The
/// code is `unsupported` unless ends_at_once is true for the reason. So a caller that gets
/// `unsupported` goes the second way.
[[nodiscard]] tl::unexpected<Error> refused(int sys_errno, const char* step,
                                            std::filesystem::path path, std::string detail = {});
/// Does the same as fail for an error of <filesystem>, or of a call that returns a CallResult.
[[nodiscard]] tl::unexpected<Error> fail(const std::error_code& error, const char* step,
                                         std::filesystem::path path, std::string detail = {});
/// Does the same with the number that the system usually gives for `why`.
[[nodiscard]] tl::unexpected<Error> fail(Why why, const char* step, std::filesystem::path path,
                                         std::string detail = {});

}  // namespace larder::os
