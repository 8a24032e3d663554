// SPDX-License-Identifier: MIT
// What a second process does for the probes. Each part takes words, because on Windows the second
// process is this program, started once more.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cachetool/system/other_process.hpp"

namespace cachetool::doctor {

/// Locks a file for as long as the process lives: FILE, and BYTE for one byte of it
/// (processes.cpp).
extern const system::ProcessPart hold_lock;
/// Reads the first word of a mapped FILE, and answers in the second one (processes.cpp).
extern const system::ProcessPart answer_in_memory;
/// Leases the entry of the trial in the cache ROOT for as long as the process lives; the word
/// "network" allows a network file system (trial.cpp).
extern const system::ProcessPart lease_entry;

/// Does nothing (primitives.cpp).
extern const system::ProcessPart stay;

/// Plays the part that a command line asks for, whose words follow the program's name. Returns the
/// exit code, or nullopt if it asks for none.
[[nodiscard]] std::optional<int> play_part_of(const std::vector<std::string>& line);

}  // namespace cachetool::doctor
