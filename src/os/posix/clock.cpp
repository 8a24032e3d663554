// SPDX-License-Identifier: MIT
#include "os/clock.hpp"

#include <time.h>

#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

/// The clock that counts from the start of the machine.
#ifdef CLOCK_BOOTTIME
constexpr clockid_t clock_since_boot = CLOCK_BOOTTIME;
#else
constexpr clockid_t clock_since_boot = CLOCK_MONOTONIC;  // on macOS it counts the sleep too
#endif

}  // namespace

std::chrono::seconds time_since_boot() noexcept {
    // Without a system call, because a get asks for this.
    timespec now{};
    (void)::clock_gettime(clock_since_boot, &now);
    return std::chrono::seconds(now.tv_sec);
}

BootTime boot_time() noexcept {
    const timespec now = platform::clock_of_kernel(clock_since_boot);
    return {.since_boot = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec),
            .time_namespace = platform::time_namespace()};
}

std::chrono::system_clock::time_point wall_time() noexcept { return platform::wall_time(); }

}  // namespace larder::os
