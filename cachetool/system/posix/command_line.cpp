// SPDX-License-Identifier: MIT
#include "cachetool/system/command_line.hpp"

#include <algorithm>

namespace cachetool::system {

std::vector<std::string> command_words(int argc, const char* const* argv) {
    return {argv + (argc > 0 ? 1 : 0), argv + argc};
}

std::string shell_word(std::string_view text) {
    constexpr std::string_view plain =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz%+,-./:=@_";
    const bool is_plain = std::all_of(text.begin(), text.end(), [&](char c) {
        return (static_cast<unsigned char>(c) & 0x80U) != 0 || plain.find(c) != plain.npos;
    });
    if (is_plain && !text.empty()) return std::string(text);
    std::string out = "'";
    for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return out + "'";
}

std::string escaped_shell_word(std::string_view text) {
    std::string out = "$'";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte >= 0x7f) {
            // Three digits, so that a digit that follows is no part of it.
            out += '\\';
            for (const unsigned shift : {6U, 3U, 0U})
                out += static_cast<char>('0' + ((byte >> shift) & 7U));
        } else {
            if (c == '\'' || c == '\\') out += '\\';
            out += c;
        }
    }
    return out + "'";
}

}  // namespace cachetool::system
