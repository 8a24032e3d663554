// SPDX-License-Identifier: MIT
// What the system's list of all processes tells. To read it needs no right to any of them.
#pragma once

#include <cstdint>
#include <optional>

namespace larder::os::windows {

/// Returns when a process was started, in units of 100 ns since 1601; 0 if no process has this pid.
/// Returns nullopt if the system gives no list.
[[nodiscard]] std::optional<std::uint64_t> start_of_process(std::uint64_t pid) noexcept;
/// Returns when the first program of this boot was started, the session manager; 0 if the system
/// does not tell. Wine has no such program.
[[nodiscard]] std::uint64_t start_of_first_program() noexcept;

}  // namespace larder::os::windows
