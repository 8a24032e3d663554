// SPDX-License-Identifier: MIT
// A clock that no change of the time of day moves.
#pragma once

#include <chrono>

namespace larder::os {

/// Returns the time since the machine started. It includes the time that the machine slept, if the
/// system counts that.
[[nodiscard]] std::chrono::seconds time_since_boot() noexcept;

}  // namespace larder::os
