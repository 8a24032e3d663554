// SPDX-License-Identifier: MIT
// The installer speaks larder's own errors, so that what the builder of an entry returns comes out of get_or_build as it went
// in.
#pragma once

#include <cerrno>
#include <filesystem>
#include <string>
#include <utility>

#include <larder/error.hpp>

namespace installer {

namespace fs = std::filesystem;
using larder::Errc;
using larder::Error;
using larder::Result;

/// A wheel, or a target, that must not be used. `detail` names the member and says what is wrong with it.
[[nodiscard]] inline tl::unexpected<Error> refuse(const char* step, const fs::path& path,
                                                  std::string detail) {
    return tl::unexpected(Error{.code = Errc::build,
                                .sys_errno = 0,
                                .step = step,
                                .path = path,
                                .detail = std::move(detail)});
}

/// What the operating system has just refused; reads `errno`.
[[nodiscard]] inline tl::unexpected<Error> system_failure(const char* step, const fs::path& path) {
    const int reason = errno;
    const Errc code = reason == ENOSPC || reason == EDQUOT ? Errc::no_space
                      : reason == EEXIST                   ? Errc::exists
                                                           : Errc::system;
    return tl::unexpected(
        Error{.code = code, .sys_errno = reason, .step = step, .path = path, .detail = {}});
}

}  // namespace installer
