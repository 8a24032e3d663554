// SPDX-License-Identifier: MIT
// How wide stdout is, and texts that fit.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace cachetool {

/// Returns how many columns a line on stdout may have, or nullopt if stdout is no terminal: then
/// lines have no limit. A user who sets COLUMNS knows better than the terminal.
[[nodiscard]] std::optional<std::size_t> output_width();

/// Returns `text`, which may be coloured, as it is if it has at most `width` columns. Otherwise its
/// middle is replaced by an ellipsis: keys often differ at both ends.
/// Requires: `width` is not 0.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t width);

}  // namespace cachetool
