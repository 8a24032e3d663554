// SPDX-License-Identifier: MIT
// This process: what it is, and how it ends or stops itself.
#pragma once

#include <cstdint>

namespace larder::stress {

using ProcessId = std::int32_t;

[[nodiscard]] ProcessId this_process_id() noexcept;
[[nodiscard]] ProcessId parent_process_id() noexcept;

/// Returns a random number that no other process has, not even a child that is forked later.
[[nodiscard]] std::uint64_t process_token() noexcept;

/// Ends this process by SIGKILL: nothing is cleaned up.
[[noreturn]] void kill_this_process() noexcept;
/// Stops this process by SIGSTOP. Returns when another process lets it go on.
void stop_this_process() noexcept;

/// Lets this process be killed when its parent ends.
void die_with_parent() noexcept;
/// From now on, writing to a pipe or socket whose other end is closed is an error, and does not end
/// this process.
void ignore_broken_pipes() noexcept;

/// Returns whether standard error is a terminal.
[[nodiscard]] bool stderr_is_terminal() noexcept;

}  // namespace larder::stress
