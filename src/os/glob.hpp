// SPDX-License-Identifier: MIT
// Patterns for names, as in a shell.
#pragma once

#include <string>

namespace larder::os {

/// Returns whether the whole text fits the pattern. A pattern may have `*`, `?`, `[a-z]`, and `\`
/// before a character that stands for itself. A slash or a leading dot is a character like any
/// other.
[[nodiscard]] bool matches_glob(const std::string& pattern, const std::string& text);

}  // namespace larder::os
