// SPDX-License-Identifier: MIT
// "Did you mean …?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

/// Insertions, deletions, replacements and exchanges of neighbours that lead from one word to the other, no letter changed
/// twice (the optimal string alignment distance): each is one slip of a finger.
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

/// The name that `word` was probably meant to be: the nearest, the first of equals. Nullptr where none is close enough, or
/// `word` is one.
[[nodiscard]] const std::string* nearest(std::string_view word,
                                         const std::vector<std::string>& names);

/// " (did you mean NAME?)", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& names);

}  // namespace cachetool
