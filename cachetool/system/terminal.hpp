// SPDX-License-Identifier: MIT
// The terminal that a standard stream may lead to.
#pragma once

#include <cstddef>

#include "cachetool/system/standard_streams.hpp"

namespace cachetool::system {

struct TerminalSize {
    std::size_t rows = 24;
    std::size_t columns = 80;
};

[[nodiscard]] bool is_terminal(StandardStream stream);

/// Returns true if the stream leads to a terminal that obeys escape sequences, such as those for
/// colours. TERM=dumb denies that. On POSIX a TERM that is not set denies it, too; Windows does not
/// set it.
[[nodiscard]] bool obeys_escapes(StandardStream stream);

/// Returns the terminal's size, or 24 rows of 80 columns if it tells none.
[[nodiscard]] TerminalSize terminal_size(StandardStream stream);

/// Returns how many columns a terminal needs for a character: 0, 1 or 2, by the tables of the C
/// library. Returns 1 for a character that these do not know.
[[nodiscard]] std::size_t columns_of(char32_t character);

}  // namespace cachetool::system
