// What --help prints.
#pragma once

#include <string>

namespace cachetool {

struct Command;

/// The list of commands and the options that all of them take.
[[nodiscard]] std::string help_text();
/// One command: fits a screen of 24 lines.
[[nodiscard]] std::string help_text(const Command& command);

}  // namespace cachetool
