// SPDX-License-Identifier: MIT
// What could stand where the user is typing. The shells' scripts ask for it: see completion.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

struct Candidate {
    std::string text;  ///< the whole word, not quoted
    std::string help;  ///< half a line, or nothing
};

struct Completion {
    enum class Kind {
        words,        ///< `candidates`, and nothing else
        files,        ///< any path
        directories,  ///< the path of a directory
        command,      ///< a program, looked up in PATH
        arguments,    ///< what the program takes that stands before
    };
    Kind kind = Kind::words;
    std::vector<Candidate> candidates{};
};

/// `words` is what stands after the program's name, up to the cursor; the last of them is being typed, and may be empty.
/// Commands, options and their values come from the table of commands, buckets and keys from the cache that the words choose:
/// it is read only, and not made. Names that control a terminal are left out. Whatever goes wrong, there are fewer candidates
/// and no error.
[[nodiscard]] Completion complete(const std::vector<std::string>& words);

[[nodiscard]] std::string_view name_of(Completion::Kind kind);

}  // namespace cachetool
