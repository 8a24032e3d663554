// SPDX-License-Identifier: MIT
// The command line, taken apart.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cachetool/cli/command.hpp"
#include "cachetool/options/options.hpp"

namespace cachetool {

/// What the user asked for. `words` are BUCKET, KEY and so on, as many as the command takes;
/// `options` are the command's own, and do not include those that every command takes.
struct ParsedArguments : larder::options::SplitLine {
    const Command* command = nullptr;  ///< null with --help or --version alone
    std::vector<std::string> program;  ///< what `exec` and `build` are to run

    bool help = false;
    bool version = false;
    bool json = false;
    bool quiet = false;
    bool allow_unsafe = false;
    std::optional<std::filesystem::path> cache;
    std::optional<std::chrono::milliseconds> lock_timeout;
    std::optional<std::filesystem::path> log;
};

/// Takes a command line apart. Options may stand before and after the command and among its words;
/// if one is given several times, the last one counts. After "--" nothing is an option, so that a
/// key may begin with a dash. For `exec` and `build`, what follows BUCKET, KEY and "--" is the
/// program.
[[nodiscard]] Expected<ParsedArguments> parse(const std::vector<std::string>& args,
                                              CommandTable commands);

/// Reads a number of seconds, such as "1.5", or a duration with its unit. Returns nullopt if `text`
/// is neither, or longer than thirty years.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_seconds(const std::string& text);

/// Returns true if --json is among the options, even if the rest of the line makes no sense.
[[nodiscard]] bool asks_for_json(const std::vector<std::string>& args);

}  // namespace cachetool
