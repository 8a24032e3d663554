// SPDX-License-Identifier: MIT
#include "cachetool/cli/shell_word.hpp"

#include <algorithm>
#include <utility>

namespace cachetool {

ShellLine split_shell_line(std::string_view line) {
    ShellLine out;
    bool in_word = false;
    std::string word;
    const auto begin_word = [&](std::size_t at) {
        if (!in_word) out.last_at = at;
        in_word = true;
    };
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool more = i + 1 < line.size();
        if (out.quote == '\'') {
            if (c == '\'')
                out.quote = 0;
            else
                word += c;
        } else if (out.quote == '"') {
            if (c == '"')
                out.quote = 0;
            else if (c == '\\' && more &&
                     std::string_view("\\\"$`").find(line[i + 1]) != std::string_view::npos)
                word += line[++i];
            else
                word += c;
        } else if (c == ' ' || c == '\t' || c == '\n') {
            if (in_word) out.words.push_back(std::exchange(word, {}));
            in_word = false;
        } else {
            begin_word(i);
            if (c == '\'' || c == '"')
                out.quote = c;
            else if (c == '\\' && more)
                word += line[++i];
            else if (c != '\\')
                word += c;
        }
    }
    if (!in_word) out.last_at = line.size();
    out.words.push_back(std::move(word));
    return out;
}

std::string shell_quoted(std::string_view text, char quote) {
    constexpr std::string_view special = " \t\n\\'\"`$&|;<>()[]{}*?!#~^";
    std::string out;
    for (const char c : text) {
        if (quote == '\'') {
            if (c == '\'') out += "'\\'";
        } else if (quote == '"') {
            if (std::string_view("\\\"$`").find(c) != std::string_view::npos) out += '\\';
        } else if (special.find(c) != std::string_view::npos) {
            out += '\\';
        }
        out += c;
    }
    return out;
}

std::vector<std::string> readline_words(std::string_view line, std::string_view replaced,
                                        const std::vector<std::string>& words) {
    const auto split = split_shell_line(line);
    const auto raw = line.substr(split.last_at);
    // What stays in the line before the text that is replaced, and how much of each word that is.
    const auto kept =
        raw.ends_with(replaced) ? raw.substr(0, raw.size() - replaced.size()) : std::string_view();
    const auto kept_length = split_shell_line(kept).words.back().size();
    std::vector<std::string> out;
    for (const auto& word : words)
        out.push_back(shell_quoted(
            std::string_view(word).substr(std::min(kept_length, word.size())), split.quote));
    return out;
}

}  // namespace cachetool
