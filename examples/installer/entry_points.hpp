// SPDX-License-Identifier: MIT
// Reads entry_points.txt, which names the commands of a distribution.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace installer {

/// A command that calls `attribute` of `module`.
struct ConsoleScript {
    std::string name;
    std::string module;
    std::string attribute;  ///< may have dots, such as a method of a class
};

/// Returns the commands in the sections console_scripts and gui_scripts, which differ only on
/// Windows, or nullopt if one of them is malformed. The check is strict because the names become
/// file names and the references become a program: a name is no path, and a reference consists of
/// Python identifiers.
[[nodiscard]] std::optional<std::vector<ConsoleScript>> parse_entry_points(std::string_view text);

/// Returns the program that an installer writes into `bin/`.
[[nodiscard]] std::string script_text(const ConsoleScript& script, std::string_view interpreter);

}  // namespace installer
