// SPDX-License-Identifier: MIT
// What --help prints.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "cachetool/cli/command.hpp"

namespace cachetool {

/// Returns the list of commands, and the options that all of them take.
[[nodiscard]] std::string help_text(CommandTable commands);
/// Returns the help of one command. It fits a screen of 24 lines of 80 columns.
[[nodiscard]] std::string help_text(const Command& command);

/// Writes the help's text, and the table that it was made from: the whole table if `command` is
/// null, or else the part about that command.
void write_help(JsonWriter& json, CommandTable commands, const Command* command);

// What both the help and the manual's main page say.
[[nodiscard]] const char* description();
[[nodiscard]] std::span<const std::pair<int, const char*>> exit_codes();
[[nodiscard]] std::span<const std::pair<const char*, const char*>> environment();

}  // namespace cachetool
