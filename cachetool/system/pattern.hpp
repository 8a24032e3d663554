// SPDX-License-Identifier: MIT
// Patterns as shells know them.
#pragma once

#include <string>

namespace cachetool::system {

/// Returns true if all of `text` matches `pattern`: * stands for any characters, slashes included,
/// ? for one character, [...] for one of several.
[[nodiscard]] bool matches(const std::string& text, const std::string& pattern);

}  // namespace cachetool::system
