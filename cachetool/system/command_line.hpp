// SPDX-License-Identifier: MIT
// The words of a command line: those of this process, and those that a user is told to type.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool::system {

/// Returns the words of this process's command line that follow the program's name. `argc` and
/// `argv` are those of main(), which Windows gives in another encoding: there they are not used.
[[nodiscard]] std::vector<std::string> command_words(int argc, const char* const* argv);

/// Returns `text` as one word of the system's usual shells: as it is, or in quotes if it has
/// characters that mean something there. On Windows these shells are cmd and PowerShell. There a
/// percent sign, a dollar and a backquote still mean something to one of the two.
[[nodiscard]] std::string shell_word(std::string_view text);
/// Does the same for a text that a terminal does not show as it is: it has control characters, or
/// bytes that are not UTF-8. On POSIX the word is in $'…', with an escape for each such byte. bash,
/// zsh, ksh and the sh of POSIX 2024 take that; dash does not. Windows' shells have no such form:
/// there it is the same word.
[[nodiscard]] std::string escaped_shell_word(std::string_view text);

}  // namespace cachetool::system
