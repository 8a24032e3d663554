// SPDX-License-Identifier: MIT
// Running a cachetool, and what it runs in its turn: this program, as a builder or a reader.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "stress/workload/actor.hpp"

namespace larder::stress {

struct ToolRun {
    int code = 0;     ///< its exit code; 128 + N where signal N ended it
    std::string out;  ///< its stdout
    bool started = true;
    [[nodiscard]] bool was_killed() const noexcept { return code == 128 + 9; }
};

/// Runs `cachetool --cache … --json COMMAND OPTION… -- WORD…` and waits for its end. Some are killed, by the fault `tool-kill`.
/// When the builder that it was told to run begins, `builds` is called, and the builder waits for that.
[[nodiscard]] ToolRun run_cachetool(Actor& actor, const std::vector<std::string>& command,
                                    const std::vector<std::string>& words,
                                    const std::function<void()>& builds = {});

/// What a cachetool runs as a builder or a reader: this program with these arguments. `is_helper` sees from the first that it
/// is one. A reader that is `alone` closes all that it inherits, before it reads.
[[nodiscard]] std::vector<std::string> builder_command(const RunSetting& setting,
                                                       std::uint32_t bucket, std::uint32_t key,
                                                       Version version);
[[nodiscard]] std::vector<std::string> reader_command(const RunSetting& setting,
                                                      std::uint32_t bucket, std::uint32_t key,
                                                      bool alone);

inline constexpr int reader_found_damage =
    77;  ///< the reader's exit code then; its stdout says what. Else it is the version

[[nodiscard]] bool is_helper(int argc, char** argv);
[[nodiscard]] int run_helper(int argc, char** argv);

}  // namespace larder::stress
