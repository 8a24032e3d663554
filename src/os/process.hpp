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
/// Returns the id as 32 hexadecimal digits.
[[nodiscard]] std::string to_text(const BootId& boot);

/// Returns whether the kernel itself tells the boot id. A container may have a file of its own in
/// that place: then two ids that differ prove nothing.
[[nodiscard]] bool boot_id_is_real() noexcept;

/// What another process needs to find out later whether this process still runs. The process id
/// alone is not enough, because the system uses it again.
struct ProcessIdentity {
    BootId boot{};
    bool boot_is_real = false;        ///< see boot_id_is_real
    std::uint64_t pid_namespace = 0;  ///< 0 if it is unknown
    /// When it started, in units of the kernel, by the clock of its own time namespace; 0 if that
    /// is unknown.
    std::uint64_t start = 0;
    std::int64_t clock_offset = 0;  ///< what that namespace adds to the clock, in nanoseconds
    std::int64_t pid = 0;
};
/// Returns the identity of this process. What the system does not tell is zero in it.
[[nodiscard]] ProcessIdentity this_process() noexcept;

/// Returns whether the pid of a process is one of the pid namespace of this process. Returns true
/// if either namespace is unknown.
[[nodiscard]] bool is_here(const ProcessIdentity& process) noexcept;

enum class Running { yes, no, unknown };
/// Where to look for a process of another pid namespace.
enum class Search {
    here,        ///< nowhere: it is unknown whether it runs
    everywhere,  ///< among all processes of the machine, if this process sees them
};
/// Returns whether a process still runs. Never returns `no` for a process that runs. Returns
/// `unknown` if that can't be told: see "Dead or alive" in docs/protocol.md. A search everywhere
/// reads a file for each process of the machine.
[[nodiscard]] Running is_running(const ProcessIdentity& process,
                                 Search search = Search::here) noexcept;

[[nodiscard]] std::int64_t process_id() noexcept;
/// Returns the system's number for this thread, for people and for the lease table.
[[nodiscard]] std::int64_t this_thread() noexcept;
/// Returns a variable of the environment. Returns nullopt if it is not set. Requires: no other
/// thread changes the environment meanwhile.
[[nodiscard]] std::optional<std::string> environment_variable(const char* name);
/// Returns the command line for people: its words with spaces between them. A process that changes
/// it later is still called by the first one.
[[nodiscard]] std::string this_command();

}  // namespace larder::os
