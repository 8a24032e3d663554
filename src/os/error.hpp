// SPDX-License-Identifier: MIT
// Makes an Error of the number with which a call of the system failed.
#pragma once

#include "base/error.hpp"

namespace larder::os {

using larder::fail;

/// Returns the code by which a caller acts on one of the system's error numbers.
[[nodiscard]] Errc code_of(int sys_errno) noexcept;

/// Returns an error with the system's number. This is the only place where such an error is made.
[[nodiscard]] tl::unexpected<Error> fail(int sys_errno, const char* step,
                                         std::filesystem::path path, std::string detail = {});

}  // namespace larder::os
