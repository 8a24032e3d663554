// What --help prints.
#pragma once

#include <string>

#include "failure.hpp"

namespace cachetool {

struct Command;

/// The list of commands and the options that all of them take.
[[nodiscard]] std::string help_text();
/// One command: fits a screen of 24 lines.
[[nodiscard]] std::string help_text(const Command& command);

/// The text, and the table that it was made from: of one command, or of all where it is null.
[[nodiscard]] Json help_json(const Command* command);

}  // namespace cachetool
