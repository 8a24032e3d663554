// SPDX-License-Identifier: MIT
// Makes larder's errors of the system's reasons.
//
// The files of this folder are the only ones of stress that include a system header. Their own
// headers have no type of POSIX in them.
#pragma once

#include <filesystem>
#include <system_error>

#include <larder/error.hpp>

namespace larder::stress {

/// What a call returns whose callers look at the reason of a failure.
template <class T = void>
using SystemResult = tl::expected<T, std::error_code>;

/// Returns an error with the system's reason. `step` says what was being done.
[[nodiscard]] tl::unexpected<Error> failure(const std::error_code& reason, const char* step,
                                            std::filesystem::path path);
/// Returns an error whose reason is the harness's own.
[[nodiscard]] tl::unexpected<Error> failure(Errc code, const char* step, std::filesystem::path path,
                                            std::string detail);

/// Returns the system's reason for an error of larder. It is empty if the system was not the
/// reason.
[[nodiscard]] std::error_code reason_of(const Error& error) noexcept;

/// Returns whether this process, or the machine, has no descriptors or memory left. A call that
/// fails for this reason says nothing about the file.
[[nodiscard]] bool is_out_of_resources(const std::error_code& reason) noexcept;

}  // namespace larder::stress
