// SPDX-License-Identifier: MIT
// The processes below a supervisor: started, signalled, and waited for.
//
// Each child leads a process group of its own, so that the programs which it starts can be ended
// with it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>

#include "stress/system/process.hpp"

namespace larder::stress {

/// Makes this process the parent of all its descendants whose own parent has ended, and keeps the
/// signals back that wait_for_signal waits for.
void become_supervisor() noexcept;

/// Forks a child that leads a group of its own, runs `life` and ends with the exit code that `life`
/// returns. Returns nullopt if there can be no more processes. The child ignores SIGINT and
/// SIGTERM: the supervisor ends all its children in order, even if every process was sent the
/// signal.
[[nodiscard]] std::optional<ProcessId> fork_group_leader(const std::function<int()>& life);

void kill_process(ProcessId process) noexcept;
void stop_group(ProcessId leader) noexcept;
void continue_group(ProcessId leader) noexcept;

/// Waits until a child has changed, a signal asks this process to end, or the time is over. Returns
/// whether a signal (SIGINT or SIGTERM) has asked this process to end.
[[nodiscard]] bool wait_for_signal(std::chrono::nanoseconds longest) noexcept;

/// A child that has stopped or ended since.
struct ChildChange {
    ProcessId process;
    bool stopped;  ///< it has not ended
};
/// Returns a change, and leaves it to be taken: until the end of a child is taken, no other process
/// gets its id. Returns nullopt if nothing has changed.
[[nodiscard]] std::optional<ChildChange> next_change() noexcept;
/// Takes the news that a child has stopped.
void take_stop(ProcessId child) noexcept;

/// How a process ended.
struct ProcessEnd {
    int exit_code = 0;
    int signal = 0;  ///< the number of the signal that ended it; 0 if it ended by itself
    [[nodiscard]] bool was_killed() const noexcept;  ///< by SIGKILL
};
/// Waits for a child's end, and takes it.
[[nodiscard]] ProcessEnd take_end(ProcessId child) noexcept;

/// Does the same for a child that leads a group, and first kills all that is left of its group and
/// waits until nothing of it is left.
[[nodiscard]] ProcessEnd take_end_of_group(ProcessId leader) noexcept;

/// Returns whether this process has any child, known to it or not.
[[nodiscard]] bool has_children() noexcept;

}  // namespace larder::stress
