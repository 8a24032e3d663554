// SPDX-License-Identifier: MIT
#include "entry_points.hpp"

#include <algorithm>
#include <fmt/core.h>

namespace installer {

namespace {

constexpr std::string_view blanks = " \t\r\f\v";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(blanks);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(blanks) - first + 1);
}

/// Returns true for the name of a file that is no path, is not hidden, and does not look like an
/// option when a user types it.
bool is_command_name(std::string_view name) {
    if (name.empty() || name.front() == '.' || name.front() == '-') return false;
    return std::all_of(name.begin(), name.end(), [](char c) {
        return c > ' ' && c != '/' && c != '\\' && c != '"' && c != 0x7f;
    });
}

/// Returns true for identifiers with dots between them, such as "a.b.c". Every character beyond
/// ASCII is accepted as a letter; Python decides later whether it is one.
bool is_dotted_name(std::string_view text) {
    bool at_start = true;
    for (const char c : text) {
        const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
                            static_cast<unsigned char>(c) >= 0x80;
        const bool digit = c >= '0' && c <= '9';
        if (at_start ? !letter : !(letter || digit || c == '.')) return false;
        at_start = c == '.';
    }
    return !at_start;
}

std::optional<ConsoleScript> parse_script(std::string_view line) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos) return std::nullopt;
    ConsoleScript script;
    script.name = trimmed(line.substr(0, equals));
    auto reference = trimmed(line.substr(equals + 1));
    if (const auto extras = reference.find('['); extras != std::string_view::npos) {
        if (!reference.ends_with(']')) return std::nullopt;
        reference = trimmed(reference.substr(0, extras));
    }
    const auto colon = reference.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    script.module = trimmed(reference.substr(0, colon));
    script.attribute = trimmed(reference.substr(colon + 1));
    if (!is_command_name(script.name) || !is_dotted_name(script.module) ||
        !is_dotted_name(script.attribute))
        return std::nullopt;
    return script;
}

}  // namespace

std::optional<std::vector<ConsoleScript>> parse_entry_points(std::string_view text) {
    std::vector<ConsoleScript> scripts;
    bool in_scripts = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        const auto line = trimmed(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty() || line.front() == '#' || line.front() == ';') continue;
        if (line.front() == '[') {
            if (line.back() != ']') return std::nullopt;
            const auto section = trimmed(line.substr(1, line.size() - 2));
            in_scripts = section == "console_scripts" || section == "gui_scripts";
            continue;
        }
        if (!in_scripts) continue;  // a plug-in of another program
        auto script = parse_script(line);
        if (!script) return std::nullopt;
        scripts.push_back(std::move(*script));
    }
    return scripts;
}

std::string script_text(const ConsoleScript& script, std::string_view interpreter) {
    return fmt::format(
        "#!{0}\n"
        "import sys\n"
        "from {1} import {2}\n"
        "if __name__ == '__main__':\n"
        "    sys.exit({3}())\n",
        interpreter, script.module, script.attribute.substr(0, script.attribute.find('.')),
        script.attribute);
}

}  // namespace installer
