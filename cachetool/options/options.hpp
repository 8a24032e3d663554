// SPDX-License-Identifier: MIT
// The options of a command line. Every program of this project reads its options here, so that they
// all follow one grammar, and so that one file alone includes Boost.ProgramOptions, whose headers
// take two seconds to compile.
#pragma once

#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

namespace larder::options {

/// Describes one option of a program.
struct OptionSpec {
    const char* name;      ///< "help", or "help,h" if the letter h may stand for it
    const char* argument;  ///< what the help calls the option's value; null if it takes none
    const char* help;
    bool repeatable = false;  ///< a later value is added to the earlier ones
};

/// Returns the option's name without the letter that may stand for it.
[[nodiscard]] std::string_view long_name(const OptionSpec& spec);

/// An option as it was given. The value of an option that takes none is empty.
struct GivenOption {
    std::string name;
    std::string value;
};

/// A command line, divided. Both lists keep the order of the line.
struct SplitLine {
    std::vector<GivenOption> options;
    std::vector<std::string> words;

    [[nodiscard]] bool has(std::string_view option) const { return value_of(option) != nullptr; }
    /// Returns the value that was given last, or null if the option was not given.
    [[nodiscard]] const std::string* value_of(std::string_view option) const;
    /// Returns the value that was given last, or `fallback` if the option was not given.
    [[nodiscard]] std::string value_or(std::string_view option, std::string_view fallback) const;
    /// Returns all values that were given.
    [[nodiscard]] std::vector<std::string> values_of(std::string_view option) const;
};

/// A program throws this if its command line asks for something that can't be done.
struct WrongUsage : std::runtime_error {
    using runtime_error::runtime_error;
};

enum class Repeats {
    allowed,  ///< an option may be given several times
    refused,  ///< an option that is given twice is an error
};

/// Divides `line` into options and words. Options may stand before, between and after the words,
/// and their names are never abbreviated: an abbreviation that is clear today would be ambiguous as
/// soon as another option begins with the same letters. After "--" everything is a word.
/// Errors: a sentence that says which part of the line is wrong.
[[nodiscard]] tl::expected<SplitLine, std::string> split(const std::vector<std::string>& line,
                                                         std::span<const OptionSpec> specs,
                                                         Repeats repeats);

/// Returns the list of options that a program's help shows, in lines of at most `columns`.
[[nodiscard]] std::string described(std::string_view title, std::span<const OptionSpec> specs,
                                    unsigned columns);

}  // namespace larder::options
