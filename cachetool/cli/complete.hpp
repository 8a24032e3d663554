// SPDX-License-Identifier: MIT
// What could stand where the user is typing. The scripts of the shells ask for it: see
// commands/completion.cpp.
#pragma once

#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cachetool/cli/command.hpp"

namespace cachetool {

struct CompletionCandidate {
    std::string text;  ///< the whole word, without quotes
    std::string help;  ///< half a line; may be empty
};

void write_json(JsonWriter& json, const CompletionCandidate& candidate);

struct Completion {
    enum class Kind {
        words,        ///< one of the candidates
        files,        ///< any path
        directories,  ///< the path of a directory
        command,      ///< a program, looked up in PATH
        arguments,    ///< an argument of the program that stands before
    };
    Kind kind = Kind::words;
    std::list<CompletionCandidate> candidates{};
};

[[nodiscard]] std::string_view name_of(Completion::Kind kind);

/// A question about a name in the cache.
struct NameQuestion {
    std::string_view wanted;                  ///< BUCKET, KEY or ID
    const std::optional<std::string>& cache;  ///< the value of --cache, as it was typed
    const std::vector<std::string>& words;    ///< the command's words so far
    std::string_view command;                 ///< empty if none has been typed
    bool allow_unsafe = false;                ///< whether --allow-unsafe has been typed
};

/// Returns the names of the cache that a question asks for, or none if the cache can't be read.
using NameSource = std::function<std::vector<std::string>(const NameQuestion&)>;

/// Completes the last of `words`, which may be empty. The words are those that follow the program's
/// name, up to the cursor. Commands, options and their values come from the table of commands,
/// names of buckets, keys and entries from `names`. Names that would control a terminal are left
/// out. If anything goes wrong there are fewer candidates, and no error.
[[nodiscard]] Completion complete(const std::vector<std::string>& words, CommandTable commands,
                                  const NameSource& names);

}  // namespace cachetool
