// SPDX-License-Identifier: MIT
// The words of a shell's line that is being typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

struct ShellLine {
    /// The words without quotes, with the program's name. The last one is being typed, and may be
    /// empty.
    std::vector<std::string> words;
    std::size_t last_at = 0;  ///< where the last word begins in the line
    char quote = 0;           ///< the quote that is open at the end, ' or ", or 0
};

/// Divides `line` into words as a POSIX shell does, and expands nothing.
[[nodiscard]] ShellLine split_shell_line(std::string_view line);

/// Returns `text` as the user must type it after an open `quote`, or after none if that is 0, so
/// that the shell reads it as it is.
[[nodiscard]] std::string shell_quoted(std::string_view text, char quote);

/// Returns, for each of `words`, what readline must put in place of `replaced` so that the last
/// word of `line` becomes that word. `replaced` is the end of the line, from where readline thinks
/// that a word begins; that may be at a ':', '=' or quote in the middle of the shell's word.
/// Requires: the last word of `line` begins each of `words`.
[[nodiscard]] std::vector<std::string> readline_words(std::string_view line,
                                                      std::string_view replaced,
                                                      const std::vector<std::string>& words);

}  // namespace cachetool
