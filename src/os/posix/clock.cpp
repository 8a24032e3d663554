// SPDX-License-Identifier: MIT
#include "os/clock.hpp"

#include <time.h>

#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

/// Returns the time since the machine started, by the clock of this time namespace.
timespec now_since_boot() noexcept {
    timespec now{};
#ifdef CLOCK_BOOTTIME
    (void)::clock_gettime(CLOCK_BOOTTIME, &now);
#else
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);  // on macOS it counts the sleep too
#endif
    return now;
}

}  // namespace

std::chrono::seconds time_since_boot() noexcept {
    return std::chrono::seconds(now_since_boot().tv_sec);
}

BootTime boot_time() noexcept {
    const timespec now = now_since_boot();
    return {.since_boot = std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec),
            .time_namespace = platform::time_namespace()};
}

std::chrono::system_clock::time_point wall_time() noexcept { return platform::wall_time(); }

}  // namespace larder::os
