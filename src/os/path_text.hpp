// SPDX-License-Identifier: MIT
// Paths as texts. Inside larder every name is a text: bytes as the system has them, and UTF-8 on
// Windows, whose own names have units of 16 bits.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace larder::os {

/// Returns the text of a path.
[[nodiscard]] std::string text_of(const std::filesystem::path& path);
/// Returns the path of a text. On Windows, a std::filesystem::path that is made of a std::string
/// takes each byte for a letter. A text that is not UTF-8 gives a path that no file has there.
[[nodiscard]] std::filesystem::path path_of(std::string_view text);

}  // namespace larder::os
