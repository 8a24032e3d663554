// SPDX-License-Identifier: MIT
// What --help prints.
#pragma once

#include <span>
#include <string>
#include <utility>

#include "cachetool/cli/failure.hpp"

namespace cachetool {

struct Command;

/// The list of commands and the options that all of them take.
[[nodiscard]] std::string help_text();
/// One command: fits a screen of 24 lines of 80 columns.
[[nodiscard]] std::string help_text(const Command& command);

/// The text, and the table that it was made from: of one command, or of all where it is null.
[[nodiscard]] Json help_json(const Command* command);

/// What both the help and the manual's page say of the whole.
[[nodiscard]] const char* description();
[[nodiscard]] std::span<const std::pair<int, const char*>> exit_codes();
[[nodiscard]] std::span<const std::pair<const char*, const char*>> environment();

}  // namespace cachetool
