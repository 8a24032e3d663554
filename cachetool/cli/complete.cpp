// SPDX-License-Identifier: MIT
#include "cachetool/cli/complete.hpp"

#include <algorithm>
#include <cstdlib>

#include <larder/cache.hpp>

#include "cachetool/cli/command.hpp"
#include "cachetool/commands/open.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Strings = std::vector<std::string>;

/// What is known of the line before the word that is being typed. Unlike parse() this has to make do with half a line.
struct Line {
    const Command* command = nullptr;
    Strings words;                     ///< of the command
    std::optional<std::string> cache;  ///< what --cache says
    const OptionSpec* wants_value =
        nullptr;                ///< the last word was this option: its value is being typed
    bool after_dashes = false;  ///< nothing is an option any more
    std::optional<std::size_t>
        program_at;  ///< how many words of the program that exec or build is to run stand there
};

const OptionSpec* find_option(const Command* command, std::string_view name) {
    const auto find = [&](std::span<const OptionSpec> options) -> const OptionSpec* {
        const auto found =
            std::find_if(options.begin(), options.end(),
                         [&](const OptionSpec& option) { return long_name(option) == name; });
        return found == options.end() ? nullptr : &*found;
    };
    const auto* global = find(global_options());
    return global != nullptr || command == nullptr ? global : find(command->options);
}

/// As the shell would, had it come to run the line.
std::string expand_home(const std::string& path) {
    const char* home = std::getenv("HOME");
    return home != nullptr && (path == "~" || path.starts_with("~/")) ? home + path.substr(1)
                                                                      : path;
}

void take_option(Line& line, std::string_view word) {
    if (!word.starts_with("--")) return;
    const auto equals = word.find('=');
    const auto* option =
        find_option(line.command, word.substr(2, equals == word.npos ? word.npos : equals - 2));
    if (option == nullptr || option->argument == nullptr) return;
    if (equals == word.npos) {
        line.wants_value = option;
    } else if (long_name(*option) == "cache") {
        line.cache = word.substr(equals + 1);
    }
}

void take_word(Line& line, const std::string& word) {
    if (line.program_at) {
        ++*line.program_at;
    } else if (line.wants_value != nullptr) {
        if (long_name(*line.wants_value) == "cache") line.cache = word;
        line.wants_value = nullptr;
    } else if (word == "--") {
        // As in `exec -- BUCKET -KEY -- COMMAND`: the first `--` may have been for the words.
        if (line.command != nullptr && line.command->runs_a_program &&
            line.words.size() >= line.command->min_words)
            line.program_at = 0;
        line.after_dashes = true;
    } else if (!line.after_dashes && word.size() > 1 && word.starts_with('-')) {
        take_option(line, word);
    } else if (line.command == nullptr) {
        line.command = find_command(word);
    } else {
        line.words.push_back(word);
    }
}

/// The names in a synopsis, without what else it says: of "BUCKET KEY... | --all" that is BUCKET, KEY.
Strings places_of(std::string_view synopsis) {
    Strings places;
    while (!synopsis.empty()) {
        const auto end = std::min(synopsis.find(' '), synopsis.size());
        auto place = synopsis.substr(0, end);
        synopsis.remove_prefix(std::min(end + 1, synopsis.size()));
        if (place == "|" || place == "--") break;
        while (!place.empty() && (place.front() == '[')) place.remove_prefix(1);
        while (!place.empty() && (place.back() == ']' || place.back() == '.'))
            place.remove_suffix(1);
        if (!place.empty()) places.emplace_back(place);
    }
    return places;
}

/// The words that a synopsis spells out: of "ls | restore ID... | empty" that is ls, restore, empty.
Completion literals_of(std::string_view synopsis) {
    Completion completion;
    bool begins = true;  // one of the ways to go on
    while (!synopsis.empty()) {
        const auto word = synopsis.substr(0, synopsis.find(' '));
        synopsis.remove_prefix(std::min(word.size() + 1, synopsis.size()));
        const bool is_literal = word.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == word.npos;
        if (begins && is_literal && !word.empty())
            completion.candidates.push_back({std::string(word), {}});
        begins = word == "|";
    }
    return completion;
}

std::optional<larder::Cache> open_quietly(const Line& line) {
    Arguments arguments;
    if (line.cache) arguments.cache = expand_home(*line.cache);
    const auto root = cache_root(arguments);
    if (!root) return std::nullopt;
    larder::OpenOptions options;
    options.read_only = true;
    auto cache = larder::Cache::open(*root, options);
    return cache ? std::optional(std::move(*cache)) : std::nullopt;
}

Strings names_in_cache(const Line& line, std::string_view place) {
    const auto cache = open_quietly(line);
    if (!cache) return {};
    if (place == "BUCKET") return cache->buckets().value_or(Strings());
    if (place == "ID") {
        Strings ids;
        for (auto& entry : cache->trash().value_or(std::vector<larder::EntryInfo>()))
            ids.push_back(std::move(entry.id));
        return ids;
    }
    if (line.words.empty()) return {};
    return cache->bucket(line.words.front())
        .and_then([](const larder::Bucket& bucket) { return bucket.keys(); })
        .value_or(Strings());
}

/// The words that the name of a place, or of an option's value, stands for: names spell out what they mean (see
/// OptionSpec::argument).
Completion fill_place(const Line& line, std::string_view place) {
    if (place == "SOURCE" || place == "FILE" || place == "DEST")
        return {.kind = Completion::Kind::files};
    if (place == "DIR") return {.kind = Completion::Kind::directories};
    Completion completion;
    if (place == "BUCKET" || place == "KEY" || place == "ID") {
        for (auto& name : names_in_cache(line, place)) {
            // What is typed already need not be typed again: one key is not another, but a bucket may be called like a key.
            const auto first = line.words.begin() + (place == "KEY" && !line.words.empty() ? 1 : 0);
            if (std::find(first, line.words.end(), name) == line.words.end())
                completion.candidates.push_back({std::move(name), {}});
        }
    } else if (place.find('|') != place.npos) {
        for (;;) {
            const auto bar = place.find('|');
            completion.candidates.push_back({std::string(place.substr(0, bar)), {}});
            if (bar == place.npos) break;
            place.remove_prefix(bar + 1);
        }
    }
    return completion;
}

Completion complete_options(const Command* command) {
    Completion completion;
    const auto add = [&](std::span<const OptionSpec> options) {
        for (const auto& option : options)
            completion.candidates.push_back({"--" + std::string(long_name(option)), option.help});
    };
    if (command != nullptr) add(command->options);
    add(global_options());
    return completion;
}

Completion complete_value(const Line& line, const std::string& current) {
    const auto equals = current.find('=');
    const auto* option = find_option(line.command, current.substr(2, equals - 2));
    if (option == nullptr || option->argument == nullptr) return {};
    auto completion = fill_place(line, option->argument);
    for (auto& candidate : completion.candidates)
        candidate.text = current.substr(0, equals + 1) + candidate.text;
    return completion;
}

Completion complete_commands() {
    Completion completion;
    for (const auto& command : commands()) {
        if (!command.hidden)
            completion.candidates.push_back(
                {std::string(command.name), std::string(command.summary)});
    }
    return completion;
}

Completion complete_in(const Line& line, const std::string& current) {
    if (line.program_at)
        return {.kind = *line.program_at == 0 ? Completion::Kind::command
                                              : Completion::Kind::arguments};
    if (line.wants_value != nullptr) return fill_place(line, line.wants_value->argument);
    if (!line.after_dashes && current.starts_with("--") && current.find('=') != current.npos)
        return complete_value(line, current);
    if (!line.after_dashes && current.starts_with('-')) return complete_options(line.command);
    if (line.command == nullptr) return complete_commands();

    const auto places = places_of(line.command->synopsis);
    const auto next = line.words.size();
    if (places.empty() || next >= line.command->max_words) {
        // Nothing but options, and for exec and build the `--` before their program.
        auto completion = line.after_dashes ? Completion() : complete_options(line.command);
        if (line.command->runs_a_program && next >= line.command->min_words)
            completion.candidates.insert(completion.candidates.begin(), {"--", "COMMAND follows"});
        return completion;
    }
    if (auto literals = literals_of(line.command->synopsis); !literals.candidates.empty()) {
        return next == 0 ? literals : Completion();
    }
    return fill_place(line, places[std::min(next, places.size() - 1)]);
}

}  // namespace

Completion complete(const Strings& words) {
    Line line;
    for (std::size_t i = 0; i + 1 < words.size(); ++i) take_word(line, words[i]);
    const std::string current = words.empty() ? std::string() : words.back();
    auto completion = complete_in(line, current);
    auto& candidates = completion.candidates;
    std::erase_if(candidates, [&](const Candidate& candidate) {
        // An empty name can't be seen in a list; one with a line break in it can't be told from two.
        return candidate.text.empty() || !candidate.text.starts_with(current) ||
               harmless(candidate.text) != candidate.text;
    });
    // A key that looks like an option is one, unless a `--` stands before.
    if (!line.after_dashes && line.wants_value == nullptr && !current.starts_with('-')) {
        std::erase_if(candidates, [](const Candidate& candidate) {
            return candidate.text.starts_with('-') && candidate.help.empty();
        });
    }
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.text < b.text; });
    return completion;
}

std::string_view name_of(Completion::Kind kind) {
    switch (kind) {
        case Completion::Kind::files:
            return "files";
        case Completion::Kind::directories:
            return "directories";
        case Completion::Kind::command:
            return "command";
        case Completion::Kind::arguments:
            return "arguments";
        case Completion::Kind::words:
            break;
    }
    return "words";
}

}  // namespace cachetool
