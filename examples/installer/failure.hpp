// SPDX-License-Identifier: MIT
// The installer uses larder's errors. So the error that a builder returns is the error that
// get_or_build returns.
#pragma once

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include <larder/error.hpp>
#include <larder/try.hpp>

namespace installer {

namespace fs = std::filesystem;
using larder::Errc;
using larder::Error;
using larder::Result;

/// Returns the error for a wheel or a target that must not be used. `detail` names the member and
/// says what is wrong with it.
[[nodiscard]] inline tl::unexpected<Error> refuse(const char* step, const fs::path& path,
                                                  std::string detail) {
    return tl::unexpected(Error{.code = Errc::build,
                                .sys_errno = 0,
                                .step = step,
                                .path = path,
                                .detail = std::move(detail)});
}

/// Returns the error for a system call that has just failed; reads `errno`.
[[nodiscard]] inline tl::unexpected<Error> system_failure(const char* step, const fs::path& path) {
    const int reason = errno;
    const Errc code = reason == ENOSPC || reason == EDQUOT ? Errc::no_space
                      : reason == EEXIST                   ? Errc::exists
                                                           : Errc::system;
    return tl::unexpected(
        Error{.code = code, .sys_errno = reason, .step = step, .path = path, .detail = {}});
}

}  // namespace installer
