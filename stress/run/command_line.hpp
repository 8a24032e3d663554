// SPDX-License-Identifier: MIT
// The command line of `stress`.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <larder/error.hpp>

#include "stress/run/run.hpp"

namespace larder::stress {

struct CommandLine {
    enum class Request { run, help, version, list_scenarios };
    Request request = Request::run;
    Scenario scenario;
    RunExtent extent;
    std::uint64_t seed = 0;  ///< drawn at random if none was given
    std::optional<std::filesystem::path> cache;
    /// The cachetool to use. Empty: use none. Nullopt: find one.
    std::optional<std::filesystem::path> cachetool;
    std::optional<LinkKind> link_kind;
    std::optional<BucketKind> bucket_kind;
    bool without_exchange = false;
    bool like_windows = false;
    std::filesystem::path json, junit;  ///< files for reports; empty: write none
    bool keep = false;
    bool quiet = false;
    std::string words;  ///< the options that, together with the seed, repeat the run
};

/// Parses the arguments. Errors: `invalid`, with a sentence for the user.
[[nodiscard]] Result<CommandLine> parse_command_line(const std::vector<std::string>& arguments);

/// Returns the help. It fits on a screen.
[[nodiscard]] std::string help_text();
/// Returns every scenario, kind of work and fault, with a line about each.
[[nodiscard]] std::string scenarios_text();

}  // namespace larder::stress
