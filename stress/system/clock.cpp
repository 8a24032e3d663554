// SPDX-License-Identifier: MIT
#include "stress/system/clock.hpp"

#include <time.h>

namespace larder::stress {

namespace {

std::uint64_t nanoseconds_of(clockid_t clock) noexcept {
    timespec time{};
    ::clock_gettime(clock, &time);
    return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000U +
           static_cast<std::uint64_t>(time.tv_nsec);
}

}  // namespace

std::uint64_t monotonic_now() noexcept { return nanoseconds_of(CLOCK_MONOTONIC); }

std::chrono::nanoseconds thread_processor_time() noexcept {
    return std::chrono::nanoseconds(nanoseconds_of(CLOCK_THREAD_CPUTIME_ID));
}

}  // namespace larder::stress
