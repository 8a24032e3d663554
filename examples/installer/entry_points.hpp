// SPDX-License-Identifier: MIT
// entry_points.txt: which commands a distribution offers.
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
    std::string attribute;  ///< may have dots: a method of a class
};

/// The commands in the sections console_scripts and gui_scripts (on this side of the world they are the same), or nothing
/// where one of them is malformed. Strict, because what is written here becomes a file's name and a program's text: a name is
/// no path, a reference is made of Python identifiers.
[[nodiscard]] std::optional<std::vector<ConsoleScript>> parse_entry_points(std::string_view text);

/// The program: what installers write into `bin/`.
[[nodiscard]] std::string script_text(const ConsoleScript& script, std::string_view interpreter);

}  // namespace installer
