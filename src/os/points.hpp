// SPDX-License-Identifier: MIT
// Named points in the protocol. There a test can hold a process, end
// it, or make a call of the system fail.
//
// They exist in the library `larder_testing` alone. In `larder` a point is nothing at all.
#pragma once

#ifdef LARDER_POINTS
#include <functional>
#endif

namespace larder::os {

#ifdef LARDER_POINTS

/// Does what the test asked for at this point. Returns 0, or the system's number with which the
/// call behind the point is to fail.
int point(const char* name);

/// Calls `hook(name)` at each point of this process from now on; its result is the point's. An
/// empty function ends that. Without a hook the environment variable LARDER_TEST_POINTS says what
/// happens: "NAME=ACTION[,NAME=ACTION…]". The actions are kill, stop (by a signal), and a number of
/// the system with which the call is to fail.
void set_point_hook(std::function<int(const char*)> hook);

#else

inline int point(const char*) noexcept { return 0; }

#endif

}  // namespace larder::os
