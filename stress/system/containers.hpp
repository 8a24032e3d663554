// SPDX-License-Identifier: MIT
// Runs a program as if it were in a container: in other namespaces, and with another boot id.
#pragma once

#include <cstdint>
#include <string>

namespace larder::stress {

/// What a container has of its own.
struct Container {
    bool pids = false;  ///< a pid namespace, in which the program is process 1
    /// With `pids`: /proc is still that of the namespace outside.
    bool outer_proc = false;
    /// A time namespace in which the machine was started so many seconds earlier; 0: none.
    std::int64_t seconds = 0;
    /// A boot id, which is mounted over the machine's own, as LXC and systemd-nspawn do. Empty:
    /// none.
    std::string boot{};
};

/// The exit code of run_in_container if the system refuses to make a container.
inline constexpr int no_container = 125;

/// Runs a program, with this process as its parent, and waits for its end. `command` ends with a
/// null pointer. If this process gets SIGTERM, it kills the program and returns when that is dead.
/// (If this process were killed instead, the program might live for a moment longer, unseen.)
/// Returns the program's exit code, or 128 and the number of the signal that ended it.
[[nodiscard]] int run_in_container(const Container& container, char** command);

/// Returns whether this process may make containers, and sees the processes in them: it needs root,
/// and the machine's first pid namespace.
[[nodiscard]] bool can_use_containers();

}  // namespace larder::stress
