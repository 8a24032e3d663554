// SPDX-License-Identifier: MIT
// A fork whose child is nobody's in this process: the supervisor, as the reaper of its descendants, becomes its parent.
#pragma once

#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

namespace larder::stress {

/// Forking a process with threads is sound with this C library, but not below the sanitizers: the thread sanitizer's runtime
/// takes no new threads in the child, and the address sanitizer's allocator stays locked there for ever if another thread was
/// in it.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool forks_and_threads_mix = false;
#else
inline constexpr bool forks_and_threads_mix = true;
#endif

/// Calls `child` in a process of its own, which ends when that returns; true where it was forked. Twice, since only a process
/// whose parent has ended gets a new one.
template <class Body>
bool fork_away(Body child) {
    const pid_t between = ::fork();
    if (between < 0) return false;
    if (between == 0) {
        const pid_t grandchild = ::fork();
        if (grandchild != 0) ::_exit(grandchild < 0 ? 1 : 0);
        ::setpgid(0, 0);  // away from the group that is killed when its leader ends
        child();
        ::_exit(0);
    }
    int status = 0;
    while (::waitpid(between, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

}  // namespace larder::stress
