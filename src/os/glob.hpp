// SPDX-License-Identifier: MIT
// Patterns as a shell has them.
#pragma once

#include <string>

namespace larder::os {

/// Returns whether the whole text fits the pattern: `*`, `?`, `[a-z]`, and `\` before a character
/// that stands for itself. Slashes and leading dots are characters like others.
[[nodiscard]] bool matches_glob(const std::string& pattern, const std::string& text);

}  // namespace larder::os
