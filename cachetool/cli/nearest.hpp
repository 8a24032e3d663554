// SPDX-License-Identifier: MIT
// "Did you mean ...?"
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

/// Returns how many insertions, deletions, replacements and exchanges of neighbours lead from one
/// word to the other, if no letter changes twice (the optimal string alignment distance). Each of
/// these is one typing mistake.
[[nodiscard]] std::size_t edit_distance(std::string_view from, std::string_view to);

/// Returns the name that the user probably meant by `word`: the nearest one, and of several the
/// first. Returns null if none is near enough, or if `word` is one of the names.
[[nodiscard]] const std::string* nearest(std::string_view word,
                                         const std::vector<std::string>& names);

/// Returns the nearest name, as nearest() does. If there is none, returns the first name that
/// begins with `word`: users leave the version out. Returns null if there is none either.
[[nodiscard]] const std::string* nearest_or_longer(std::string_view word,
                                                   const std::vector<std::string>& names);

/// Returns " (did you mean NAME?)", or nothing.
[[nodiscard]] std::string did_you_mean(std::string_view word,
                                       const std::vector<std::string>& names);

}  // namespace cachetool
