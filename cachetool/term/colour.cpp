// SPDX-License-Identifier: MIT
#include "cachetool/term/colour.hpp"

#include <unistd.h>

#include <cstdlib>
#include <fmt/format.h>

namespace cachetool {
namespace {

bool wants_colours(int fd) {
    const char* declined = std::getenv("NO_COLOR");
    if (declined != nullptr && *declined != '\0') return false;
    const char* terminal = std::getenv("TERM");
    if (terminal == nullptr || std::string_view(terminal) == "dumb" || *terminal == '\0')
        return false;
    return ::isatty(fd) == 1;
}

/// ECMA-48, "select graphic rendition".
int code_of(Colour colour) {
    switch (colour) {
        case Colour::bold:
            return 1;
        case Colour::red:
            return 31;
        case Colour::green:
            return 32;
        case Colour::yellow:
            return 33;
    }
    return 0;
}

}  // namespace

std::string coloured(std::string_view text, Colour colour, int fd) {
    return wants_colours(fd) && !text.empty()
               ? fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text)
               : std::string(text);
}

}  // namespace cachetool
