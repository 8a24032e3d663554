// SPDX-License-Identifier: MIT
#include "os/clock.hpp"

#include <time.h>

#include "os/posix/platform.hpp"

namespace larder::os {

std::chrono::seconds time_since_boot() noexcept {
    timespec now{};
#ifdef CLOCK_BOOTTIME
    (void)::clock_gettime(CLOCK_BOOTTIME, &now);
#else
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);  // on macOS it counts the sleep too
#endif
    return std::chrono::seconds(now.tv_sec);
}

std::chrono::system_clock::time_point wall_time() noexcept { return platform::wall_time(); }

}  // namespace larder::os
