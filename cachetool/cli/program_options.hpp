// SPDX-License-Identifier: MIT
// Boost.ProgramOptions as the programs here use it.
#pragma once

#include <algorithm>
#include <boost/program_options.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace usage {

/// No guessing: an abbreviation that is clear today would be ambiguous with the next option that is added.
inline constexpr int style = boost::program_options::command_line_style::unix_style &
                             ~boost::program_options::command_line_style::allow_guessing;

/// What is wrong with `words`, the command line that `error` was thrown for. Boost fills in the placeholders of its messages, one
/// at a time until there is none: over a word that holds one, its own message never ends.
inline std::string message_of(const boost::program_options::error& error,
                              const std::vector<std::string>& words) {
    static constexpr std::string_view placeholders[] = {"%canonical_option%", "%option%",
                                                        "%original_token%", "%prefix%", "%value%"};
    for (const auto& word : words) {
        const bool holds_one =
            std::any_of(std::begin(placeholders), std::end(placeholders),
                        [&](std::string_view one) { return word.find(one) != std::string::npos; });
        if (holds_one) return "the options can't be understood (they hold '" + word + "')";
    }
    return error.what();
}

}  // namespace usage
