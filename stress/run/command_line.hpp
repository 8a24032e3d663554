// SPDX-License-Identifier: MIT
// What a run is asked to do, from the command line.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <larder/error.hpp>

#include "stress/run/run.hpp"

namespace larder::stress {

struct CommandLine {
    enum class Ask { run, help, version, list_scenarios };
    Ask ask = Ask::run;
    Scenario scenario;
    RunExtent extent;
    std::uint64_t seed = 0;  ///< drawn, where none was given
    std::optional<std::filesystem::path> cache;
    std::optional<std::filesystem::path>
        cachetool;  ///< where it was given; empty: none is to be used
    std::optional<LinkKind> link_kind;
    std::filesystem::path json, junit;  ///< empty: not wanted
    bool keep = false;
    bool quiet = false;
    std::string words;  ///< the options that say what runs, once more: with the seed they repeat it
};

/// Errors: `invalid`, with a sentence for the user.
[[nodiscard]] Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

/// Fits a screen.
[[nodiscard]] std::string help_text();
/// Every scenario, kind of work and fault, with a line about each.
[[nodiscard]] std::string scenarios_text();

}  // namespace larder::stress
