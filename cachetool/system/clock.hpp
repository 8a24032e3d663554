// SPDX-License-Identifier: MIT
// The time of day.
#pragma once

#include <chrono>

namespace cachetool::system {

/// Returns the time of day by the kernel's clock, as larder writes it to a cache. A library that
/// shows this process another time (as faketime does) does not change it.
[[nodiscard]] std::chrono::system_clock::time_point wall_time() noexcept;

}  // namespace cachetool::system
