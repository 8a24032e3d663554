// SPDX-License-Identifier: MIT
// The words of a shell's line, half typed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

struct ShellLine {
    std::vector<std::string>
        words;  ///< unquoted, the program's name included; the last one is being typed, and may be empty
    std::size_t last_at = 0;  ///< where the last one begins in the line
    char quote = 0;           ///< the quote that is open at the end: ' or " or none
};

/// Divides `line` into words as a POSIX shell does, and expands nothing.
[[nodiscard]] ShellLine split_shell_line(std::string_view line);

/// `text` as it has to be typed after an opened `quote`, or after none, for the shell to understand it as it is.
[[nodiscard]] std::string shell_quoted(std::string_view text, char quote);

/// The last word of `line` can become each of `words`, which begin with it. What stands for the end of each of them, when
/// readline replaces `replaced`: the end of the line that it considers a word, which may begin at a ':', '=' or quote in the
/// middle of the shell's.
[[nodiscard]] std::vector<std::string> readline_words(std::string_view line,
                                                      std::string_view replaced,
                                                      const std::vector<std::string>& words);

}  // namespace cachetool
