// SPDX-License-Identifier: MIT
// The texts of the table of commands, made fit for a screen or a page.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

/// A paragraph, as one line of any length; or lines that are to stay as they are, without their indent.
struct Block {
    bool literal = false;
    std::string text;
};

/// Divides a text: empty lines end a paragraph, and lines that begin with two spaces are literal.
[[nodiscard]] std::vector<Block> blocks_of(std::string_view text);

/// Breaks a paragraph into lines of at most `width`, at spaces.
[[nodiscard]] std::string wrapped(std::string_view paragraph, std::size_t width);

}  // namespace cachetool
