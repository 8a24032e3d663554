// SPDX-License-Identifier: MIT
#include "cachetool/term/text.hpp"

#include <algorithm>
#include <array>
#include <fmt/core.h>

#include "cachetool/system/clock.hpp"
#include "cachetool/system/command_line.hpp"
#include "cachetool/system/terminal.hpp"

namespace cachetool {
namespace {

struct CodePoint {
    char32_t value = 0;
    std::size_t length = 0;  ///< in bytes; 0 if they are not UTF-8
};

/// Returns the first code point of `text`, by the letter of RFC 3629: nothing overlong, no
/// surrogates.
CodePoint first_code_point(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    if (lead < 0x80) return {lead, 1};
    const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
    char32_t value = lead & (0x7fU >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0U) != 0x80U) return {};
        value = (value << 6U) | (byte(i) & 0x3fU);
    }
    const char32_t smallest = length == 4 ? 0x10000 : length == 3 ? 0x800 : 0x80;
    if (value < smallest || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
    return {value, length};
}

/// Returns true for C0 and C1 controls, line and paragraph separators, and the marks that change
/// the direction of what follows.
bool controls_a_terminal(char32_t c) {
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x61c || c == 0x200e || c == 0x200f ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

std::string escape_of(char32_t c) {
    switch (c) {
        case '\n':
            return "\\n";
        case '\t':
            return "\\t";
        case '\r':
            return "\\r";
        default:
            return fmt::format("\\u{{{:x}}}", static_cast<std::uint32_t>(c));
    }
}

std::string escaped(std::string_view text, bool double_backslash) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const auto [value, length] = first_code_point(text);
        if (length == 0) {
            out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text[0]));
        } else if (controls_a_terminal(value)) {
            out += escape_of(value);
        } else {
            out += text.substr(0, length);
            if (value == '\\' && double_backslash) out += '\\';
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return out;
}

}  // namespace

std::string harmless(std::string_view text) { return escaped(text, false); }

std::string shown(std::string_view key) { return key.empty() ? "\"\"" : escaped(key, true); }

std::string named(std::string_view key) {
    const auto text = shown(key);
    return text.find(' ') == std::string::npos ? text : "\"" + text + "\"";
}

std::string in_small_letters(std::string_view text) {
    std::string small(text);
    std::transform(small.begin(), small.end(), small.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    return small;
}

std::string shell_word(std::string_view text) {
    return harmless(text) == text ? system::shell_word(text) : system::escaped_shell_word(text);
}

std::string shell_words(std::initializer_list<std::string_view> words) {
    const bool has_dash = std::any_of(words.begin(), words.end(),
                                      [](std::string_view word) { return word.starts_with('-'); });
    std::string out = has_dash ? "--" : "";
    for (const auto word : words) out += (out.empty() ? "" : " ") + shell_word(word);
    return out;
}

std::string shell_pattern(std::string_view text) {
    std::string pattern;
    for (const char c : text) {
        if (std::string_view("*?[\\").find(c) != std::string_view::npos) pattern += '\\';
        pattern += c;
    }
    return shell_word(pattern);
}

std::string shown_size(std::uint64_t bytes) {
    constexpr std::array units{"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    if (bytes < 1024) return fmt::format("{} B", bytes);
    double size = static_cast<double>(bytes) / 1024;
    std::size_t unit = 0;
    for (; size >= 1023.95 && unit + 1 < units.size(); ++unit) size /= 1024;
    return fmt::format("{:.1f} {}", size, units[unit]);
}

std::string shown_age(std::chrono::system_clock::time_point then) {
    using namespace std::chrono;
    // What lies in the future counts as now. A difference from long before 1970 could overflow.
    const auto now = system::wall_time();
    const auto known = std::clamp(then, system_clock::time_point{}, now);
    return shown_duration(duration_cast<seconds>(now - known));
}

std::string shown_age(const std::optional<std::chrono::system_clock::time_point>& then) {
    return then ? shown_age(*then) : "?";
}

std::string shown_duration(std::chrono::seconds duration) {
    using namespace std::chrono;
    if (duration < minutes{1}) return fmt::format("{} s", duration.count());
    if (duration < hours{1}) return fmt::format("{} min", duration / minutes{1});
    if (duration < hours{48}) return fmt::format("{} h", duration / hours{1});
    return fmt::format("{} d", duration / hours{24});
}

std::string counted(std::uint64_t count, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", count, count == 1 ? one : many);
}

std::string iso_time(std::chrono::system_clock::time_point time) {
    using namespace std::chrono;
    const auto day = floor<days>(time);
    const year_month_day date(day);
    const hh_mm_ss clock(floor<microseconds>(time - day));
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                       clock.subseconds().count());
}

CharacterSize first_character(std::string_view text) {
    const auto [value, length] = first_code_point(text);
    return length == 0 ? CharacterSize{1, 1} : CharacterSize{length, system::columns_of(value)};
}

std::size_t shown_width(std::string_view text) {
    std::size_t width = 0;
    bool in_colour = false;  // text from outside has no escape character left
    while (!text.empty()) {
        const auto [bytes, columns] = first_character(text);
        if (text[0] == '\x1b') in_colour = true;
        if (!in_colour) width += columns;
        if (text[0] == 'm') in_colour = false;
        text.remove_prefix(bytes);
    }
    return width;
}

}  // namespace cachetool
