// SPDX-License-Identifier: MIT
#include "cachetool/term/colour.hpp"

#include <fmt/core.h>

#include "cachetool/system/environment.hpp"
#include "cachetool/system/terminal.hpp"

namespace cachetool {
namespace {

bool shows_colours(system::StandardStream stream) {
    if (system::environment_variable("NO_COLOR")) return false;
    return system::obeys_escapes(stream);
}

/// Returns the number that stands for the colour in ECMA-48, "select graphic rendition".
int code_of(TextColour colour) {
    switch (colour) {
        case TextColour::bold:
            return 1;
        case TextColour::red:
            return 31;
        case TextColour::green:
            return 32;
        case TextColour::yellow:
            return 33;
    }
    return 0;
}

}  // namespace

std::string coloured(std::string_view text, TextColour colour, system::StandardStream stream) {
    if (text.empty() || !shows_colours(stream)) return std::string(text);
    return fmt::format("\x1b[{}m{}\x1b[0m", code_of(colour), text);
}

}  // namespace cachetool
