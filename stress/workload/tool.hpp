// SPDX-License-Identifier: MIT
// Runs a cachetool, and is the program that a cachetool runs in its turn: a builder or a reader.
#pragma once

#include <string>
#include <vector>

#include "stress/system/command.hpp"
#include "stress/workload/actor.hpp"

namespace larder::stress {

/// Runs `cachetool --cache ROOT --json COMMAND… -- WORD…` until it ends. Some runs are killed, by
/// the fault `tool-kill`. When the builder that the cachetool runs begins, `builds` is called, and
/// the builder waits until it returns.
[[nodiscard]] CommandRun run_cachetool(Actor& actor, const std::vector<std::string>& command,
                                       const std::vector<std::string>& words,
                                       const std::function<void()>& builds = {});

/// Return the command that a cachetool runs as a builder or a reader: this program with arguments
/// by which is_helper knows it. A reader that is `alone` closes all descriptors that it inherits
/// before it reads.
[[nodiscard]] std::vector<std::string> builder_command(const RunSetting& setting,
                                                       std::uint32_t bucket, std::uint32_t key,
                                                       Version version);
[[nodiscard]] std::vector<std::string> reader_command(const RunSetting& setting,
                                                      std::uint32_t bucket, std::uint32_t key,
                                                      bool alone);

/// The exit code of a reader that found damage. Its standard output then describes the damage;
/// otherwise it is the version.
inline constexpr int reader_found_damage = 77;

/// Returns whether this program was started as a builder or a reader, or to run a cachetool in a
/// container.
[[nodiscard]] bool is_helper(int argc, char** argv);
/// Runs it as one, and returns its exit code.
[[nodiscard]] int run_helper(int argc, char** argv);

}  // namespace larder::stress
