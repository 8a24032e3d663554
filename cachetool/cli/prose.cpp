// SPDX-License-Identifier: MIT
#include "cachetool/cli/prose.hpp"

#include <algorithm>

#include "cachetool/term/width.hpp"

namespace cachetool {
namespace {

/// Removes what comes before the first `separator`, and the separator, from `text`. Returns what
/// came before it.
std::string_view take_until(std::string_view& text, char separator) {
    const auto part = text.substr(0, text.find(separator));
    text.remove_prefix(std::min(part.size() + 1, text.size()));
    return part;
}

}  // namespace

std::vector<TextBlock> text_blocks(std::string_view text) {
    std::vector<TextBlock> blocks;
    bool begins = true;
    while (!text.empty()) {
        auto line = take_until(text, '\n');
        const bool literal = line.starts_with("  ");
        if (literal) line.remove_prefix(2);
        if (begins || line.empty() || literal != blocks.back().literal) {
            begins = line.empty();
            if (line.empty()) continue;
            blocks.push_back({literal, std::string(line)});
        } else {
            blocks.back().text += literal ? '\n' : ' ';
            blocks.back().text += line;
        }
    }
    return blocks;
}

std::string wrapped(std::string_view paragraph, std::size_t width) {
    std::string out;
    std::size_t column = 0;
    while (!paragraph.empty()) {
        const auto word = take_until(paragraph, ' ');
        if (column > 0 && column + 1 + word.size() > width) {
            out += '\n';
            column = 0;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out + '\n';
}

std::string fitted(std::string_view lines) {
    const auto width = output_width();
    if (!width) return std::string(lines);
    std::string out;
    while (!lines.empty()) out += wrapped(take_until(lines, '\n'), *width);
    return out;
}

std::string hanging(const std::string& head, std::string_view paragraph, std::size_t width) {
    constexpr std::size_t narrowest = 20;  // arbitrary: two or three words
    const bool is_beside = width >= head.size() + narrowest;
    const std::string indent(is_beside ? head.size() : 4, ' ');
    auto out = is_beside ? head : head.substr(0, head.find_last_not_of(' ') + 1) + "\n" + indent;
    std::string body =
        wrapped(paragraph, std::max(width, indent.size() + narrowest) - indent.size());
    for (std::size_t at = 0; at < body.size();) {
        const auto end = body.find('\n', at) + 1;
        if (at > 0) out += indent;
        out += body.substr(at, end - at);
        at = end;
    }
    return out;
}

}  // namespace cachetool
