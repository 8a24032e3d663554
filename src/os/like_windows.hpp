// SPDX-License-Identifier: MIT
// Lets a process on Linux act like Windows where Wine does not: for tests. docs/windows.md says
// what that changes, and os/posix/like_windows.hpp how.
//
// It exists only in the library `larder_testing`. In `larder` it compiles to nothing.
#pragma once

namespace larder::os {

#ifdef LARDER_POINTS

/// Returns whether this process acts like Windows. It does so from the start if the environment has
/// the variable LARDER_TEST_LIKE_WINDOWS. Always returns false on macOS, and on Windows itself.
[[nodiscard]] bool is_like_windows() noexcept;
/// Lets this process, and those that it forks from now on, act like Windows or no more. All
/// processes that use a cache must do the same, because their locks lie at other bytes otherwise.
void act_like_windows(bool wanted) noexcept;

#else

[[nodiscard]] constexpr bool is_like_windows() noexcept { return false; }
inline void act_like_windows(bool) noexcept {}

#endif

}  // namespace larder::os
