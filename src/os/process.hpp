// SPDX-License-Identifier: MIT
// Processes: this one, and whether another one still runs.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "os/unique.hpp"

namespace larder::os {

/// The boot of this machine, as a random number that changes with every boot. Zeros if it can't be
/// told.
using BootId = std::array<std::uint8_t, 16>;
[[nodiscard]] BootId boot_id() noexcept;
[[nodiscard]] std::string to_text(const BootId& boot);

/// Enough to tell later, from another process, whether a process still runs: a process id alone is
/// used again.
struct ProcessIdentity {
    BootId boot{};
    std::uint64_t pid_namespace = 0;  ///< 0 if it can't be told, or the system has none
    std::uint64_t start = 0;  ///< when it started, in units of the kernel; 0 if it can't be told
    std::int64_t pid = 0;
};
[[nodiscard]] ProcessIdentity this_process() noexcept;

enum class Running { yes, no, unknown };
/// Returns whether a process still runs: `unknown` for a process of another pid namespace of this
/// boot. It never says `no` of a process that runs.
[[nodiscard]] Running is_running(const ProcessIdentity& process) noexcept;

[[nodiscard]] std::int64_t process_id() noexcept;
[[nodiscard]] std::int64_t this_thread() noexcept;
/// Returns the command line, with spaces between its words, for people.
[[nodiscard]] std::string this_command();

}  // namespace larder::os
