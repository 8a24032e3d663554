// SPDX-License-Identifier: MIT
// Turns the names and texts of Windows into UTF-8, and back. All of larder has UTF-8 inside.
//
// A name on a disk of Windows is any sequence of 16-bit units, so it may hold one half of a
// surrogate pair by itself. Such a half is written as the three bytes that UTF-8 would have for its
// number (WTF-8). So every name can be read, written down and found again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace larder::os::windows {

/// Appends the UTF-8 of some 16-bit units to a text.
template <class Unit>
void append_utf8(std::string& text, std::basic_string_view<Unit> units) {
    static_assert(sizeof(Unit) == 2);
    const auto put = [&](std::uint32_t bits) { text += static_cast<char>(bits); };
    for (std::size_t i = 0; i < units.size(); ++i) {
        std::uint32_t code = static_cast<std::uint16_t>(units[i]);
        if (code >= 0xd800 && code < 0xdc00 && i + 1 < units.size()) {
            const std::uint32_t next = static_cast<std::uint16_t>(units[i + 1]);
            if (next >= 0xdc00 && next < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (next - 0xdc00);
                ++i;
            }
        }
        if (code < 0x80) {
            put(code);
        } else if (code < 0x800) {
            put(0xc0 | code >> 6);
            put(0x80 | (code & 0x3f));
        } else if (code < 0x10000) {
            put(0xe0 | code >> 12);
            put(0x80 | (code >> 6 & 0x3f));
            put(0x80 | (code & 0x3f));
        } else {
            put(0xf0 | code >> 18);
            put(0x80 | (code >> 12 & 0x3f));
            put(0x80 | (code >> 6 & 0x3f));
            put(0x80 | (code & 0x3f));
        }
    }
}

/// Takes the first character of a text away and returns its number. Returns nullopt if the text
/// does not begin with one: it is empty, or not UTF-8. The half of a surrogate pair counts as a
/// character.
inline std::optional<std::uint32_t> take_utf8(std::string_view& text) noexcept {
    if (text.empty()) return std::nullopt;
    const auto first = static_cast<unsigned char>(text[0]);
    const std::size_t length = first < 0x80    ? 1
                               : first < 0xc2  ? 0
                               : first < 0xe0  ? 2
                               : first < 0xf0  ? 3
                               : first <= 0xf4 ? 4
                                               : 0;
    if (length == 0 || length > text.size()) return std::nullopt;
    std::uint32_t code = length == 1 ? first : first & (0xffU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return std::nullopt;
        code = code << 6 | (next & 0x3f);
    }
    constexpr std::uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < smallest[length] || code > 0x10ffff) return std::nullopt;
    text.remove_prefix(length);
    return code;
}

/// Writes the 16-bit units of a text to `units`, which has room for `room` of them. Returns how
/// many they are; nullopt if the text is not UTF-8 or there is not enough room.
template <class Unit>
std::optional<std::size_t> to_utf16(std::string_view text, Unit* units, std::size_t room) noexcept {
    static_assert(sizeof(Unit) == 2);
    std::size_t size = 0;
    while (!text.empty()) {
        const auto code = take_utf8(text);
        const std::size_t needed = code && *code >= 0x10000 ? 2 : 1;
        if (!code || size + needed > room) return std::nullopt;
        if (needed == 1) {
            units[size++] = static_cast<Unit>(*code);
        } else {
            units[size++] = static_cast<Unit>(0xd800 + ((*code - 0x10000) >> 10));
            units[size++] = static_cast<Unit>(0xdc00 + ((*code - 0x10000) & 0x3ff));
        }
    }
    return size;
}

}  // namespace larder::os::windows
