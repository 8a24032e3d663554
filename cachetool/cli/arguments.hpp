// SPDX-License-Identifier: MIT
// The command line, taken apart.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cachetool/cli/failure.hpp"

namespace cachetool {

struct Command;

struct Arguments {
    const Command* command = nullptr;  ///< null with --help or --version alone
    std::vector<std::string> words;    ///< BUCKET, KEY, …: as many as the command wants
    std::vector<std::string> program;  ///< what `exec` and `build` are to run

    bool help = false;
    bool version = false;
    bool json = false;
    bool quiet = false;
    std::optional<std::filesystem::path> cache;
    std::optional<std::chrono::milliseconds> lock_timeout;
    std::optional<std::filesystem::path> log;

    std::map<std::string, std::string>
        options;  ///< the command's own, without the dashes; a flag's value is empty
    [[nodiscard]] bool has(const std::string& option) const { return options.contains(option); }
    std::map<std::string, std::vector<std::string>>
        repeated;  ///< every value of every option, in order
    [[nodiscard]] std::vector<std::string> all(const std::string& option) const {
        const auto found = repeated.find(option);
        return found == repeated.end() ? std::vector<std::string>() : found->second;
    }
};

/// Options may stand before and after the command and among its words, and the last of several counts. After `--` nothing is
/// an option, so that a key may begin with a dash. For `exec` and `build` what follows BUCKET, KEY and `--` is the program.
[[nodiscard]] tl::expected<Arguments, Failure> parse(const std::vector<std::string>& args);

/// "1.5". None where that is no number of seconds, or no time that a person waits.
[[nodiscard]] std::optional<std::chrono::milliseconds> parse_seconds(const std::string& text);

/// Whether --json is among the options: all that matters once the rest of the line makes no sense.
[[nodiscard]] bool asks_for_json(const std::vector<std::string>& args);

}  // namespace cachetool
