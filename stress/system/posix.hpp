// SPDX-License-Identifier: MIT
// What the sources of this folder share. Nothing else includes this file.
#pragma once

#include <cerrno>
#include <system_error>

#include "os/posix/fd.hpp"
#include "stress/system/error.hpp"

namespace larder::stress {

using os::Fd;
using os::retry;

/// Returns why the last call failed.
[[nodiscard]] inline std::error_code last_reason() noexcept {
    return {errno, std::generic_category()};
}

}  // namespace larder::stress
