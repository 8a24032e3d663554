// SPDX-License-Identifier: MIT
// Lays out the texts of the table of commands, for a screen or a manual page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

/// A paragraph, as one line of any length; or literal lines, without their indent.
struct TextBlock {
    bool literal = false;
    std::string text;
};

/// Divides a text into blocks. An empty line ends a paragraph; lines that begin with two spaces are
/// literal.
[[nodiscard]] std::vector<TextBlock> text_blocks(std::string_view text);

/// Breaks a paragraph into lines of at most `width` characters, at spaces.
[[nodiscard]] std::string wrapped(std::string_view paragraph, std::size_t width);

/// Returns the lines so that they fit on the screen: each is broken as wrapped() does. Returns them
/// as they are if stdout is no terminal.
[[nodiscard]] std::string fitted(std::string_view lines);

/// Returns `head` and, behind it, a paragraph in lines of at most `width` characters. Its later
/// lines begin under its first word.
[[nodiscard]] std::string hanging(const std::string& head, std::string_view paragraph,
                                  std::size_t width);

}  // namespace cachetool
