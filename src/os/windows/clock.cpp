// SPDX-License-Identifier: MIT
#include "os/clock.hpp"

#include <windows.h>

namespace larder::os {

std::chrono::seconds time_since_boot() noexcept {
    return std::chrono::floor<std::chrono::seconds>(boot_time().since_boot);
}

// The clock counts the time that the machine slept.
BootTime boot_time() noexcept {
    return {.since_boot = std::chrono::milliseconds(::GetTickCount64()), .time_namespace = 1};
}

// The clock with which NTFS writes the times of files. A finer one would be ahead of those times.
std::chrono::system_clock::time_point wall_time() noexcept {
    FILETIME now{};
    ::GetSystemTimeAsFileTime(&now);
    using Ticks = std::chrono::duration<std::int64_t, std::ratio<1, 10'000'000>>;
    constexpr Ticks from_1601_to_1970 = std::chrono::seconds(11'644'473'600);
    const Ticks since_1601(std::int64_t{now.dwHighDateTime} << 32 | now.dwLowDateTime);
    return std::chrono::system_clock::time_point(
        std::chrono::duration_cast<std::chrono::system_clock::duration>(since_1601 -
                                                                        from_1601_to_1970));
}

}  // namespace larder::os
