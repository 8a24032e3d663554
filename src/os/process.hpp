// SPDX-License-Identifier: MIT
// Processes: this one, and whether another one still runs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "os/unique.hpp"

namespace larder::os {

/// A random number that the kernel draws at each boot of the machine.
using BootId = std::array<std::uint8_t, 16>;
/// Returns the id of this boot; zeros if the system does not tell it.
[[nodiscard]] BootId boot_id() noexcept;
[[nodiscard]] std::string to_text(const BootId& boot);

/// What another process needs to find out later whether this process still runs. The process id
/// alone is not enough, because the system uses it again.
struct ProcessIdentity {
    BootId boot{};
    std::uint64_t pid_namespace = 0;  ///< 0 if it is unknown, or the system has none
    std::uint64_t start = 0;          ///< when it started, in units of the kernel; 0 if unknown
    std::int64_t pid = 0;
};
[[nodiscard]] ProcessIdentity this_process() noexcept;

enum class Running { yes, no, unknown };
/// Returns whether a process still runs. Returns `unknown` for a process of another pid namespace
/// of this boot. Never returns `no` for a process that runs.
[[nodiscard]] Running is_running(const ProcessIdentity& process) noexcept;

[[nodiscard]] std::int64_t process_id() noexcept;
[[nodiscard]] std::int64_t this_thread() noexcept;
/// Returns a variable of the environment. Returns nullopt if it is not set. Requires: no other
/// thread changes the environment meanwhile.
[[nodiscard]] std::optional<std::string> environment_variable(const char* name);
/// Returns the command line for people: its words with spaces between them.
[[nodiscard]] std::string this_command();

}  // namespace larder::os
