// SPDX-License-Identifier: MIT
#include "cachetool/cli/complete.hpp"

#include <algorithm>

#include "cachetool/term/json.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Strings = std::vector<std::string>;
using larder::options::long_name;

const OptionSpec* find_option(const Command* command, std::string_view name) {
    const auto find = [&](std::span<const OptionSpec> specs) -> const OptionSpec* {
        const auto found = std::find_if(specs.begin(), specs.end(), [&](const OptionSpec& spec) {
            return long_name(spec) == name;
        });
        return found == specs.end() ? nullptr : &*found;
    };
    const auto* global = find(global_options());
    return global != nullptr || command == nullptr ? global : find(command->options);
}

/// What is known of the line before the word that is being typed. parse() reads whole lines; this
/// reads half a line.
class TypedLine {
public:
    explicit TypedLine(CommandTable commands) : commands_(commands) {}

    const Command* command = nullptr;
    Strings words;                     ///< of the command
    std::optional<std::string> cache;  ///< the value of --cache
    bool allow_unsafe = false;
    const OptionSpec* open_option = nullptr;  ///< the option whose value is being typed
    bool after_dashes = false;                ///< nothing is an option any more
    /// How many words of the program that exec or build is to run stand there.
    std::optional<std::size_t> program_words;

    void add(const std::string& word) {
        if (program_words) {
            ++*program_words;
        } else if (open_option != nullptr) {
            if (long_name(*open_option) == "cache") cache = word;
            open_option = nullptr;
        } else if (word == "--") {
            // As in `exec -- BUCKET -KEY -- COMMAND`: the first "--" may have been for the words.
            if (command != nullptr && command->runs_a_program && words.size() >= command->min_words)
                program_words = 0;
            after_dashes = true;
        } else if (!after_dashes && word.size() > 1 && word.starts_with('-')) {
            add_option(word);
        } else if (command == nullptr) {
            command = find_command(commands_, word);
        } else {
            words.push_back(word);
        }
    }

private:
    void add_option(std::string_view word) {
        if (!word.starts_with("--")) return;
        const auto equals = word.find('=');
        const auto* option =
            find_option(command, word.substr(2, equals == word.npos ? word.npos : equals - 2));
        if (option != nullptr && long_name(*option) == "allow-unsafe") allow_unsafe = true;
        if (option == nullptr || option->argument == nullptr) return;
        if (equals == word.npos) {
            open_option = option;
        } else if (long_name(*option) == "cache") {
            cache = word.substr(equals + 1);
        }
    }

    CommandTable commands_;
};

/// Completes one word at a position of the line.
class Completer {
public:
    Completer(const TypedLine& line, CommandTable commands, const NameSource& names)
        : line_(line), commands_(commands), names_(names) {}

    [[nodiscard]] Completion complete(const std::string& current) const {
        if (line_.program_words)
            return {.kind = *line_.program_words == 0 ? Completion::Kind::command
                                                      : Completion::Kind::arguments};
        if (line_.open_option != nullptr) return fill(line_.open_option->argument);
        if (!line_.after_dashes && current.starts_with("--") && current.find('=') != current.npos)
            return complete_value(current);
        if (!line_.after_dashes && current.starts_with('-')) return options();
        if (line_.command == nullptr) return commands();

        const auto places = places_of(line_.command->synopsis);
        const auto next = line_.words.size();
        if (places.empty() || next >= line_.command->max_words) return after_words();
        return fill(places[std::min(next, places.size() - 1)]);
    }

private:
    /// Returns what can stand in a place of a synopsis, or be the value of an option. The name of
    /// the place says what it means: see Command::synopsis.
    [[nodiscard]] Completion fill(std::string_view place) const {
        if (place == "SOURCE" || place == "FILE" || place == "DEST")
            return {.kind = Completion::Kind::files};
        if (place == "DIR") return {.kind = Completion::Kind::directories};
        Completion completion;
        const auto add = [&](std::string text) {
            completion.candidates.push_back({std::move(text), {}});
        };
        if (place == "BUCKET" || place == "KEY" || place == "ID") {
            // A key that was typed already is not offered again. But a bucket may have the name of
            // a key.
            const std::string_view command =
                line_.command == nullptr ? std::string_view() : line_.command->name;
            const auto first =
                line_.words.begin() + (place == "KEY" && !line_.words.empty() ? 1 : 0);
            for (auto& name :
                 names_({place, line_.cache, line_.words, command, line_.allow_unsafe})) {
                if (std::find(first, line_.words.end(), name) == line_.words.end())
                    add(std::move(name));
            }
        } else if (place.find('|') != place.npos) {
            for (bool more = true; more;) {
                const auto word = place.substr(0, place.find('|'));
                more = word.size() < place.size();
                place.remove_prefix(word.size() + (more ? 1 : 0));
                add(std::string(word));
            }
        }
        return completion;
    }

    /// Completes "--option=value".
    [[nodiscard]] Completion complete_value(const std::string& current) const {
        const auto equals = current.find('=');
        const auto* option = find_option(line_.command, current.substr(2, equals - 2));
        if (option == nullptr || option->argument == nullptr) return {};
        auto completion = fill(option->argument);
        for (auto& candidate : completion.candidates)
            candidate.text = current.substr(0, equals + 1) + candidate.text;
        return completion;
    }

    [[nodiscard]] Completion options() const {
        Completion completion;
        const auto add = [&](std::span<const OptionSpec> specs) {
            for (const auto& spec : specs)
                completion.candidates.push_back({"--" + std::string(long_name(spec)), spec.help});
        };
        if (line_.command != nullptr) add(line_.command->options);
        add(global_options());
        return completion;
    }

    [[nodiscard]] Completion commands() const {
        Completion completion;
        for (const auto& command : commands_) {
            if (!command.hidden)
                completion.candidates.push_back(
                    {std::string(command.name), std::string(command.summary)});
        }
        return completion;
    }

    /// Returns what follows the last word of the command: options, and for exec and build the "--"
    /// before their program.
    [[nodiscard]] Completion after_words() const {
        auto completion = line_.after_dashes ? Completion() : options();
        if (line_.command->runs_a_program && line_.words.size() >= line_.command->min_words)
            completion.candidates.push_front({"--", "COMMAND follows"});
        return completion;
    }

    const TypedLine& line_;
    CommandTable commands_;
    const NameSource& names_;
};

}  // namespace

Completion complete(const Strings& words, CommandTable commands, const NameSource& names) {
    TypedLine line(commands);
    for (std::size_t i = 0; i + 1 < words.size(); ++i) line.add(words[i]);
    const std::string current = words.empty() ? std::string() : words.back();
    auto completion = Completer(line, commands, names).complete(current);
    auto& candidates = completion.candidates;
    candidates.remove_if([&](const CompletionCandidate& candidate) {
        // An empty name can't be seen in a list, and a name with a line break looks like two.
        return candidate.text.empty() || !candidate.text.starts_with(current) ||
               harmless(candidate.text) != candidate.text;
    });
    // A key that looks like an option is taken for one, unless a "--" stands before it.
    if (!line.after_dashes && line.open_option == nullptr && !current.starts_with('-')) {
        candidates.remove_if([](const CompletionCandidate& candidate) {
            return candidate.text.starts_with('-') && candidate.help.empty();
        });
    }
    candidates.sort([](const auto& a, const auto& b) { return a.text < b.text; });
    return completion;
}

void write_json(JsonWriter& json, const CompletionCandidate& candidate) {
    json.object([&] {
        json.field("text", candidate.text);
        json.field("help", candidate.help);
    });
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
