// SPDX-License-Identifier: MIT
// Colours on a terminal.
#pragma once

#include <string>
#include <string_view>

#include "cachetool/system/standard_streams.hpp"

namespace cachetool {

enum class TextColour { bold, red, green, yellow };

/// Returns `text` in that colour, for `stream`. Returns it as it is
///   - if the stream does not lead to a terminal,
///   - if the user has set NO_COLOR, to anything but the empty string (no-color.org), or
///   - if the terminal shows no colours: TERM is not set, or "dumb".
[[nodiscard]] std::string coloured(std::string_view text, TextColour colour,
                                   system::StandardStream stream);

}  // namespace cachetool
