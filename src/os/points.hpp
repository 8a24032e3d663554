// SPDX-License-Identifier: MIT
// Named points in the protocol. At a point, a test can pause a process, end it, or make a system
// call fail.
//
// Points exist only in the library `larder_testing`. In `larder` a point compiles to nothing.
#pragma once

#ifdef LARDER_POINTS
#include <functional>
#endif

namespace larder::os {

#ifdef LARDER_POINTS

/// Does what the test asked for at this point. Returns 0, or the error number with which the call
/// that follows the point must fail.
int point(const char* name);

/// From now on calls `hook(name)` at each point of this process, and returns its result there. An
/// empty function ends this. Without a hook, the environment variable LARDER_TEST_POINTS says what
/// happens: "NAME=ACTION[,NAME=ACTION…]". An action is `kill`, `stop` (by SIGSTOP), or the error
/// number with which the call must fail.
void set_point_hook(std::function<int(const char*)> hook);

/// Ends this process at once: no destructor runs, and no buffer is written.
void kill_this_process() noexcept;
/// Stops this process until another one lets it continue.
void stop_this_process() noexcept;

#else

inline int point(const char*) noexcept { return 0; }

#endif

}  // namespace larder::os
