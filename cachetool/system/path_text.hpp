// SPDX-License-Identifier: MIT
// Texts of paths. All texts of cachetool are UTF-8, or whatever bytes the names have where the
// system does not care. On Windows, where names have units of 16 bits, a std::filesystem::path must
// be made and shown by these two: its own conversions take another code page, or each byte for a
// letter.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace cachetool::system {

/// Returns the text of a path.
[[nodiscard]] std::string text_of(const std::filesystem::path& path);
/// Returns the path of a text. On Windows, a text that is not UTF-8 gives a path that no file has.
[[nodiscard]] std::filesystem::path path_of(std::string_view text);

}  // namespace cachetool::system
