// SPDX-License-Identifier: MIT
// What a command is. The table of all commands is commands/table.cpp.
#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cachetool/options/options.hpp"
#include "cachetool/term/output.hpp"

namespace cachetool {

struct ParsedArguments;

using larder::options::OptionSpec;

/// What the table of commands says about a command. Help, manual pages, completion and suggestions
/// follow from it.
struct Command {
    std::string_view name;
    /// What follows the name. Shells complete the words BUCKET, KEY, ID, SOURCE, FILE, DIR and
    /// DEST, and literal words such as "ls|restore". An option's argument is completed likewise.
    std::string_view synopsis;
    /// Half a line for the list of commands.
    std::string_view summary;
    /// What the command's own --help says: paragraphs, and an example whose lines begin with two
    /// spaces.
    std::string_view help;
    std::size_t min_words = 0;
    std::size_t max_words = 0;
    bool runs_a_program = false;
    /// The option with which the command takes no words: it says where they stand.
    std::string_view instead_of_words{};
    /// For the use of shells or of the build: left out of the lists that people read.
    bool hidden = false;
    std::vector<OptionSpec> options{};
    CommandResult (*run)(const ParsedArguments&, const CommandOutput&) = nullptr;
    /// Other names that run it.
    std::vector<std::string_view> aliases{};
    /// Words of other tools for what it does. A user who types one is told its name.
    std::vector<std::string_view> foreign_names{};
};

using CommandTable = std::span<const Command>;

inline constexpr std::size_t any_number = std::numeric_limits<std::size_t>::max();

/// Returns the words of a command's synopsis without brackets and dots, up to a "|" or "--". Of
/// "BUCKET KEY... | --all" that is BUCKET, KEY.
[[nodiscard]] std::vector<std::string> places_of(std::string_view synopsis);

/// Returns the command that has this name or alias, or null.
[[nodiscard]] const Command* find_command(CommandTable commands, std::string_view name);

/// Returns the options that every command takes.
[[nodiscard]] std::span<const OptionSpec> global_options();

}  // namespace cachetool
