// SPDX-License-Identifier: MIT
#include "cachetool/term/width.hpp"

#include <algorithm>

#include "cachetool/options/number.hpp"
#include "cachetool/system/environment.hpp"
#include "cachetool/system/terminal.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

/// Returns the longest beginning of `text` that takes at most `width` columns.
std::string_view first_columns(std::string_view text, std::size_t width) {
    std::size_t end = 0;
    for (std::size_t taken = 0; end < text.size();) {
        const auto [bytes, columns] = first_character(text.substr(end));
        if (taken + columns > width) break;
        taken += columns;
        end += bytes;
    }
    return text.substr(0, end);
}

/// Returns the longest end of `text` that takes at most `width` columns.
std::string_view last_columns(std::string_view text, std::size_t width) {
    for (std::size_t left = shown_width(text); left > width;) {
        const auto [bytes, columns] = first_character(text);
        left -= columns;
        text.remove_prefix(bytes);
    }
    return text;
}

/// Returns `text` without colours.
std::string plain(std::string_view text) {
    std::string out;
    bool in_colour = false;  // text from outside has no escape character left
    for (const char c : text) {
        if (c == '\x1b') in_colour = true;
        if (!in_colour) out += c;
        if (c == 'm') in_colour = false;
    }
    return out;
}

}  // namespace

std::optional<std::size_t> output_width() {
    if (!system::is_terminal(system::StandardStream::output)) return std::nullopt;
    // Less than this is no terminal that could show anything, and wider ones than a thousand
    // columns need no care. Both are arbitrary.
    constexpr std::uint64_t narrowest = 20, widest = 1000;
    std::optional<std::uint64_t> columns;
    if (const auto named = system::environment_variable("COLUMNS"))
        columns = larder::options::whole_number(*named);
    const std::size_t told = system::terminal_size(system::StandardStream::output).columns;
    return static_cast<std::size_t>(std::clamp(columns.value_or(told), narrowest, widest));
}

std::string shortened(std::string_view text, std::size_t width) {
    if (shown_width(text) <= width) return std::string(text);
    const auto whole = plain(text);
    const std::size_t behind = (width - 1) / 2, before = width - 1 - behind;
    return std::string(first_columns(whole, before))
        .append("…")
        .append(last_columns(whole, behind));
}

}  // namespace cachetool
