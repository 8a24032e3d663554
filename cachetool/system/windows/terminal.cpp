// SPDX-License-Identifier: MIT
#include "cachetool/system/terminal.hpp"

#include <algorithm>
#include <array>

#include "cachetool/system/environment.hpp"
#include "cachetool/system/windows/console.hpp"

namespace cachetool::system {
namespace {

struct CharacterRange {
    char32_t first;
    char32_t last;
};

/// The blocks of Unicode whose characters take two columns, by UAX #11: East Asian scripts, their
/// wide forms, and pictures.
constexpr std::array wide_ranges{CharacterRange{0x1100, 0x115f},   CharacterRange{0x231a, 0x231b},
                                 CharacterRange{0x2329, 0x232a},   CharacterRange{0x23e9, 0x23ec},
                                 CharacterRange{0x2e80, 0x303e},   CharacterRange{0x3041, 0xa4cf},
                                 CharacterRange{0xa960, 0xa97c},   CharacterRange{0xac00, 0xd7a3},
                                 CharacterRange{0xf900, 0xfaff},   CharacterRange{0xfe10, 0xfe19},
                                 CharacterRange{0xfe30, 0xfe6f},   CharacterRange{0xff00, 0xff60},
                                 CharacterRange{0xffe0, 0xffe6},   CharacterRange{0x1f300, 0x1f64f},
                                 CharacterRange{0x1f680, 0x1f6ff}, CharacterRange{0x1f900, 0x1f9ff},
                                 CharacterRange{0x20000, 0x3fffd}};

bool is_wide(char32_t character) {
    return std::any_of(wide_ranges.begin(), wide_ranges.end(), [&](const CharacterRange& range) {
        return character >= range.first && character <= range.last;
    });
}

/// Returns true for a mark that is shown above or below the character before it.
bool combines(char32_t character) {
    const auto unit = static_cast<wchar_t>(character);
    WORD kinds = 0;
    return character < 0x10000 && ::GetStringTypeW(CT_CTYPE3, &unit, 1, &kinds) &&
           (kinds & (C3_NONSPACING | C3_DIACRITIC)) != 0 && (kinds & C3_ALPHA) == 0 &&
           (kinds & C3_SYMBOL) == 0;
}

}  // namespace

bool is_terminal(StandardStream stream) {
    return windows::is_console(windows::stream_handle(stream));
}

bool obeys_escapes(StandardStream stream) {
    DWORD mode = 0;
    return ::GetConsoleMode(windows::stream_handle(stream), &mode) &&
           (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0 &&
           environment_variable("TERM") != "dumb";
}

TerminalSize terminal_size(StandardStream stream) {
    TerminalSize size;
    CONSOLE_SCREEN_BUFFER_INFO told{};
    if (!::GetConsoleScreenBufferInfo(windows::stream_handle(stream), &told)) return size;
    const auto& window = told.srWindow;  // of the buffer, which has lines above and below it
    if (window.Bottom >= window.Top)
        size.rows = static_cast<std::size_t>(window.Bottom - window.Top + 1);
    if (window.Right >= window.Left)
        size.columns = static_cast<std::size_t>(window.Right - window.Left + 1);
    return size;
}

std::size_t columns_of(char32_t character) {
    if (character < 0x80) return 1;
    if (combines(character)) return 0;
    return is_wide(character) ? 2 : 1;
}

}  // namespace cachetool::system
