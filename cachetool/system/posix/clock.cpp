// SPDX-License-Identifier: MIT
#include "cachetool/system/clock.hpp"

#include <time.h>

#ifdef __linux__
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace cachetool::system {

std::chrono::system_clock::time_point wall_time() noexcept {
    timespec now{};
#ifdef __linux__
    // The system call itself, because a library may stand in the place of the function. On 32 bits
    // the call has another type of time.
    if (sizeof(void*) != 8 || ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) != 0)
#endif
        (void)::clock_gettime(CLOCK_REALTIME, &now);
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(
            std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)));
}

}  // namespace cachetool::system
