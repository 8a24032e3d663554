// SPDX-License-Identifier: MIT
#include "cachetool/system/command_line.hpp"

#include <algorithm>

#include "cachetool/system/windows/wide.hpp"
#include "cachetool/system/windows/words.hpp"

namespace cachetool::system {

std::vector<std::string> command_words(int /*argc*/, const char* const* /*argv*/) {
    return windows::arguments_in(windows::narrow(::GetCommandLineW()));
}

std::string shell_word(std::string_view text) {
    constexpr std::string_view plain =
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+-./:\\_";
    const bool is_plain = std::all_of(text.begin(), text.end(), [&](char c) {
        return (static_cast<unsigned char>(c) & 0x80U) != 0 || plain.find(c) != plain.npos;
    });
    return is_plain && !text.empty() ? std::string(text) : windows::in_quotes(text);
}

std::string escaped_shell_word(std::string_view text) { return shell_word(text); }

}  // namespace cachetool::system
