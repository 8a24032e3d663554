// SPDX-License-Identifier: MIT
// A wall clock that jumps: this program's own clock_gettime, gettimeofday and time stand before the system's, and add what the
// run says. The machine's clock is never set, and CLOCK_MONOTONIC, by which histories are written, is left as it is.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::stress {

/// From now on this process's wall clock is wrong by `offset` nanoseconds; null: it is right.
void follow_clock(const std::atomic<std::int64_t>* offset) noexcept;

}  // namespace larder::stress
