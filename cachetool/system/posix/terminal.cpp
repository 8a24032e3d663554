// SPDX-License-Identifier: MIT
#include "cachetool/system/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <array>
#include <cwchar>
#include <locale.h>
#if __has_include(<xlocale.h>)
#include <xlocale.h>
#endif

#include "cachetool/system/environment.hpp"
#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {
namespace {

int descriptor_of(StandardStream stream) {
    return stream == StandardStream::output ? STDOUT_FILENO : STDERR_FILENO;
}

/// Returns a locale whose characters are those of Unicode, or null if the system knows none of its
/// usual names. The user's own locale may be "C", and the terminal shows UTF-8 all the same.
locale_t unicode_locale() {
    for (const char* const name : std::array{"C.UTF-8", "en_US.UTF-8", "UTF-8"}) {
        if (const locale_t locale = ::newlocale(LC_CTYPE_MASK, name, nullptr)) return locale;
    }
    return nullptr;
}

}  // namespace

bool is_terminal(StandardStream stream) { return ::isatty(descriptor_of(stream)) == 1; }

bool obeys_escapes(StandardStream stream) {
    return environment_variable("TERM").value_or("dumb") != "dumb" && is_terminal(stream);
}

TerminalSize terminal_size(StandardStream stream) {
    TerminalSize size;
    winsize told{};
    if (retry([&] { return ::ioctl(descriptor_of(stream), TIOCGWINSZ, &told); }) != 0) return size;
    if (told.ws_row > 0) size.rows = told.ws_row;
    if (told.ws_col > 0) size.columns = told.ws_col;
    return size;
}

std::size_t columns_of(char32_t character) {
    if (character < 0x80) return 1;
    static const locale_t unicode = unicode_locale();
    if (unicode == nullptr) return 1;
    const locale_t before = ::uselocale(unicode);
    const int columns = ::wcwidth(static_cast<wchar_t>(character));
    ::uselocale(before);
    return columns < 0 ? 1 : static_cast<std::size_t>(columns);
}

}  // namespace cachetool::system
