// SPDX-License-Identifier: MIT
// A clock that no change of the time of day moves, and the time of day.
#pragma once

#include <chrono>

namespace larder::os {

/// Returns the time since the machine started. It includes the time that the machine slept, if the
/// system counts that.
[[nodiscard]] std::chrono::seconds time_since_boot() noexcept;

/// Returns the time of day by the kernel's clock. A library that shows this process another time
/// (as faketime does) should not change what all processes read.
[[nodiscard]] std::chrono::system_clock::time_point wall_time() noexcept;

}  // namespace larder::os
