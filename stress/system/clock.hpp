// SPDX-License-Identifier: MIT
// Clocks that no change of the time of day moves.
#pragma once

#include <chrono>
#include <cstdint>

namespace larder::stress {

/// Returns nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share.
[[nodiscard]] std::uint64_t monotonic_now() noexcept;

/// Returns for how long this thread has had a processor.
[[nodiscard]] std::chrono::nanoseconds thread_processor_time() noexcept;

}  // namespace larder::stress
