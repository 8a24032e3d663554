// SPDX-License-Identifier: MIT
#include "cachetool/system/terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include "cachetool/system/last_error.hpp"

namespace cachetool::system {
namespace {

int descriptor_of(StandardStream stream) {
    return stream == StandardStream::output ? STDOUT_FILENO : STDERR_FILENO;
}

}  // namespace

bool is_terminal(StandardStream stream) { return ::isatty(descriptor_of(stream)) == 1; }

TerminalSize terminal_size(StandardStream stream) {
    TerminalSize size;
    winsize told{};
    if (retry([&] { return ::ioctl(descriptor_of(stream), TIOCGWINSZ, &told); }) != 0) return size;
    if (told.ws_row > 0) size.rows = told.ws_row;
    if (told.ws_col > 0) size.columns = told.ws_col;
    return size;
}

}  // namespace cachetool::system
