// SPDX-License-Identifier: MIT
// The command lines of Windows. There a program gets its arguments as one text, and divides it by
// itself. Programs of C and C++ follow the rules of Microsoft's C library ("Parsing C command-line
// arguments"), and so must what starts them:
//   - spaces and tabs separate words, but not between two quotes;
//   - 2n backslashes and a quote stand for n backslashes, and the quote opens or closes;
//   - 2n + 1 backslashes and a quote stand for n backslashes and a quote;
//   - between quotes, two quotes stand for one;
//   - other backslashes stand for themselves;
//   - in the program's name, which comes first, backslashes always stand for themselves.
//
// These functions ask the system for nothing, and are tested on each one.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

namespace cachetool::system::windows {

/// Returns a word in quotes, so that the rules above give it back.
inline std::string in_quotes(std::string_view word) {
    std::string text = "\"";
    std::size_t backslashes = 0;
    for (const char c : word) {
        if (c == '"') text.append(backslashes + 1, '\\');
        backslashes = c == '\\' ? backslashes + 1 : 0;
        text += c;
    }
    return text.append(backslashes, '\\') + '"';
}

/// Returns a word as it stands in a command line: in quotes if it needs them. A program that begins
/// with another rule than those above, such as `find` and `cmd`, then sees as few as possible.
inline std::string as_argument(std::string_view word) {
    const bool is_plain = !word.empty() && word.find_first_of(" \t\n\v\"") == word.npos;
    return is_plain ? std::string(word) : in_quotes(word);
}

/// Returns the command line of a program and its arguments. Requires: `words` is not empty, and the
/// first one, the program's name, has no quote in it, which no name of a file has.
inline std::string command_line_of(const std::vector<std::string>& words) {
    std::string line = '"' + words.front() + '"';
    for (std::size_t i = 1; i < words.size(); ++i) line += ' ' + as_argument(words[i]);
    return line;
}

/// Divides a command line. Returns its words without the program's name.
inline std::vector<std::string> arguments_in(std::string_view line) {
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    std::size_t at = 0;
    bool quoted = false;
    for (; at < line.size() && (quoted || !is_blank(line[at])); ++at)
        quoted = quoted != (line[at] == '"');

    std::vector<std::string> words;
    for (;;) {
        while (at < line.size() && is_blank(line[at])) ++at;
        if (at == line.size()) return words;
        std::string word;
        quoted = false;
        while (at < line.size() && (quoted || !is_blank(line[at]))) {
            const std::size_t end = std::min(line.find_first_not_of('\\', at), line.size());
            const std::size_t backslashes = end - at;
            at = end;
            if (at == line.size() || line[at] != '"') {
                word.append(backslashes, '\\');
                if (at < line.size() && (quoted || !is_blank(line[at]))) word += line[at++];
                continue;
            }
            word.append(backslashes / 2, '\\');
            ++at;
            if (backslashes % 2 == 1) {
                word += '"';
            } else if (quoted && at < line.size() && line[at] == '"') {
                word += '"';
                ++at;
            } else {
                quoted = !quoted;
            }
        }
        words.push_back(std::move(word));
    }
}

}  // namespace cachetool::system::windows
