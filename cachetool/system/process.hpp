// SPDX-License-Identifier: MIT
// Processes by their number.
#pragma once

#include <cstdint>

namespace cachetool::system {

/// Returns this process's pid.
[[nodiscard]] std::int64_t own_pid();

/// Returns false if no process of this pid namespace has the number.
[[nodiscard]] bool has_process(std::int64_t pid);

}  // namespace cachetool::system
