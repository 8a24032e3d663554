// SPDX-License-Identifier: MIT
#include "cachetool/cli/shell_word.hpp"

#include <algorithm>
#include <utility>

namespace cachetool {
namespace {

/// In double quotes, a backslash before these is not a character of the word.
constexpr std::string_view escaped_in_quotes = "\\\"$`";
constexpr std::string_view special = " \t\n\\'\"`$&|;<>()[]{}*?!#~^";

bool contains(std::string_view characters, char c) {
    return characters.find(c) != std::string_view::npos;
}

/// Divides a line, one character after the other.
class ShellSplitter {
public:
    explicit ShellSplitter(std::string_view line) : line_(line) {}

    ShellLine split() {
        for (; at_ < line_.size(); ++at_) {
            if (out_.quote == '\'') {
                take_in_single_quotes();
            } else if (out_.quote == '"') {
                take_in_double_quotes();
            } else {
                take_unquoted();
            }
        }
        if (!in_word_) out_.last_at = line_.size();
        out_.words.push_back(std::move(word_));
        return std::move(out_);
    }

private:
    [[nodiscard]] char current() const { return line_[at_]; }
    [[nodiscard]] bool has_next() const { return at_ + 1 < line_.size(); }

    void take_in_single_quotes() {
        if (current() == '\'') {
            out_.quote = 0;
        } else {
            word_ += current();
        }
    }

    void take_in_double_quotes() {
        if (current() == '"') {
            out_.quote = 0;
        } else {
            if (current() == '\\' && has_next() && contains(escaped_in_quotes, line_[at_ + 1]))
                ++at_;
            word_ += current();
        }
    }

    void take_unquoted() {
        if (contains(" \t\n", current())) {
            if (in_word_) out_.words.push_back(std::exchange(word_, {}));
            in_word_ = false;
            return;
        }
        if (!std::exchange(in_word_, true)) out_.last_at = at_;
        if (current() == '\'' || current() == '"') {
            out_.quote = current();
        } else if (current() != '\\') {
            word_ += current();
        } else if (has_next()) {
            word_ += line_[++at_];
        }
    }

    std::string_view line_;
    std::size_t at_ = 0;
    bool in_word_ = false;
    std::string word_;
    ShellLine out_;
};

}  // namespace

ShellLine split_shell_line(std::string_view line) { return ShellSplitter(line).split(); }

std::string shell_quoted(std::string_view text, char quote) {
    std::string out;
    for (const char c : text) {
        if (quote == '\'') {
            if (c == '\'') out += "'\\'";
        } else if (contains(quote == '"' ? escaped_in_quotes : special, c)) {
            out += '\\';
        }
        out += c;
    }
    return out;
}

std::vector<std::string> readline_words(std::string_view line, std::string_view replaced,
                                        const std::vector<std::string>& words) {
    const auto split = split_shell_line(line);
    const auto typed = line.substr(split.last_at);
    // What stays in the line before the text that is replaced, and how much of each word that is.
    const auto kept = typed.ends_with(replaced) ? typed.substr(0, typed.size() - replaced.size())
                                                : std::string_view();
    const auto kept_length = split_shell_line(kept).words.back().size();
    std::vector<std::string> out;
    for (const auto& word : words) {
        const auto rest = std::string_view(word).substr(std::min(kept_length, word.size()));
        out.push_back(shell_quoted(rest, split.quote));
    }
    return out;
}

}  // namespace cachetool
