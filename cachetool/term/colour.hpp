// SPDX-License-Identifier: MIT
// Colours, where somebody sees them and wants them.
#pragma once

#include <string>
#include <string_view>

namespace cachetool {

enum class Colour { bold, red, green, yellow };

/// `text` in that colour where the descriptor `fd` leads to a terminal that has colours; otherwise as it is. The user declines
/// them by setting NO_COLOR, to anything but nothing (no-color.org); a terminal by TERM=dumb.
[[nodiscard]] std::string coloured(std::string_view text, Colour colour, int fd);

}  // namespace cachetool
