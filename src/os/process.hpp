// SPDX-License-Identifier: MIT
// Who we are: this process, also after a fork, and in which boot of which machine.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace larder::os {

/// A random number, not zero, that no other process has: not even a forked child, and not the next program after execve.
/// Whoever owns something on the disk keeps the token of the process that made it: in a forked child the tokens differ.
/// Costs one load from memory (the page that holds it is wiped by the kernel in a child).
[[nodiscard]] std::uint64_t process_token() noexcept;

/// A 12-byte number that nobody else draws, in this process or another: the token, and a counter.
struct Unique {
    std::uint64_t random;
    std::uint32_t counter;
};
[[nodiscard]] Unique draw_unique() noexcept;

/// The boot of this machine, as a random number that changes with every boot. Zeros where it can't be told.
using BootId = std::array<std::uint8_t, 16>;
[[nodiscard]] BootId boot_id() noexcept;
[[nodiscard]] std::string to_text(const BootId& boot);

/// Enough to tell, later and from another process, whether the process still runs: a pid alone is used again.
struct ProcessIdentity {
    BootId boot{};
    std::uint64_t pid_namespace = 0;  ///< 0 where it can't be told, or the system has none
    std::uint64_t start = 0;  ///< when it started, in the kernel's ticks; 0 where it can't be told
    std::int64_t pid = 0;
};
[[nodiscard]] ProcessIdentity this_process() noexcept;

enum class Running { yes, no, unknown };
/// `unknown` for a process of another pid namespace of this boot. Never `no` for a process that runs.
[[nodiscard]] Running is_running(const ProcessIdentity& process) noexcept;

/// The command line, with spaces between its words; for people.
[[nodiscard]] std::string this_command();
[[nodiscard]] std::int64_t this_thread() noexcept;

}  // namespace larder::os
