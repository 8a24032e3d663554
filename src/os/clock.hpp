// SPDX-License-Identifier: MIT
// A clock that no change of the time of day moves, and the time of day.
#pragma once

#include <chrono>
#include <cstdint>

namespace larder::os {

/// Returns the time since the machine started. It includes the time that the machine slept, if the
/// system counts that.
[[nodiscard]] std::chrono::seconds time_since_boot() noexcept;

/// A time since the machine started. Two of them can be compared if and only if both were told in
/// one boot and in one time namespace, and that is known.
struct BootTime {
    std::chrono::nanoseconds since_boot{};
    std::uint64_t time_namespace = 0;  ///< in which it was told; 0 if that is unknown

    friend bool operator==(const BootTime&, const BootTime&) = default;
};
/// Returns true if it is certain that `one` is not after `other`, for two times of one boot.
[[nodiscard]] constexpr bool is_not_after(const BootTime& one, const BootTime& other) noexcept {
    return one.time_namespace != 0 && one.time_namespace == other.time_namespace &&
           one.since_boot <= other.since_boot;
}
/// Returns the time since the machine started, as time_since_boot counts it.
[[nodiscard]] BootTime boot_time() noexcept;

/// Returns the time of day by the kernel's clock. A library that shows this process another time
/// (as faketime does) should not change what all processes read.
[[nodiscard]] std::chrono::system_clock::time_point wall_time() noexcept;

}  // namespace larder::os
