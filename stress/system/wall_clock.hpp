// SPDX-License-Identifier: MIT
// A wall clock that jumps. This program has functions clock_gettime, gettimeofday and time of its
// own, which stand in front of the system's and add an offset. They never set the machine's clock,
// and they leave CLOCK_MONOTONIC, which the histories use, as it is.
#pragma once

#include <atomic>
#include <cstdint>

namespace larder::stress {

/// Lets the wall clock of this process be wrong by `*offset` nanoseconds from now on. Null: it is
/// right.
void follow_clock(const std::atomic<std::int64_t>* offset) noexcept;

}  // namespace larder::stress
