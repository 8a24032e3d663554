// SPDX-License-Identifier: MIT
#include "cachetool/cli/arguments.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <set>
#include <utility>

#include "cachetool/cli/nearest.hpp"
#include "cachetool/cli/quantity.hpp"
#include "cachetool/options/number.hpp"
#include "cachetool/system/path_text.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

namespace options = larder::options;
using Words = std::vector<std::string>;

/// Returns the options of all commands. The whole line has one grammar, whichever command it holds,
/// because options of the same name are the same everywhere. So the command may stand anywhere, and
/// for an option that belongs to another command the answer can say so.
std::vector<OptionSpec> all_options(CommandTable commands) {
    std::vector<OptionSpec> all;
    std::set<std::string_view> seen;
    const auto add = [&](std::span<const OptionSpec> specs) {
        for (const auto& spec : specs) {
            if (seen.insert(spec.name).second) all.push_back(spec);
        }
    };
    add(global_options());
    for (const auto& command : commands) add(command.options);
    return all;
}

bool is_one_of(std::span<const OptionSpec> specs, std::string_view name) {
    return std::any_of(specs.begin(), specs.end(),
                       [&](const OptionSpec& spec) { return options::long_name(spec) == name; });
}

Words names_of(std::span<const OptionSpec> specs) {
    Words names;
    for (const auto& spec : specs) names.push_back("--" + std::string(options::long_name(spec)));
    return names;
}

/// Returns a suggestion for the first option in `ours` that does not exist. If the line names a
/// command, the suggestion is an option of that command.
std::string suggested_option(const Words& ours, CommandTable commands) {
    const Command* command = nullptr;
    for (const auto& word : ours) {
        if (command == nullptr) command = find_command(commands, word);
    }
    auto names = names_of(global_options());
    for (const auto& one : commands) {
        if (command != nullptr ? &one != command : one.hidden) continue;
        const auto own = names_of(one.options);
        names.insert(names.end(), own.begin(), own.end());
    }
    const auto every = all_options(commands);
    for (const auto& word : ours) {
        const auto name = word.substr(0, word.find('='));
        if (name.size() > 2 && name.starts_with("--") && !is_one_of(every, name.substr(2))) {
            const auto* meant = nearest_or_longer(name, names);
            return meant == nullptr ? std::string() : fmt::format(" (did you mean {}?)", *meant);
        }
    }
    return {};
}

std::string suggested_command(std::string_view word, CommandTable commands) {
    Words names;
    const std::string small = in_small_letters(word);
    if (small != word && find_command(commands, small) != nullptr)
        return fmt::format(" (did you mean {}?)", small);
    for (const auto& command : commands) {
        const auto& foreign = command.foreign_names;
        if (std::find(foreign.begin(), foreign.end(), word) != foreign.end()) {
            // As with restore, which is a word of trash.
            const bool is_its_word = command.synopsis.find(word) != std::string_view::npos;
            return fmt::format(" (did you mean {}{}{}?)", command.name, is_its_word ? " " : "",
                               is_its_word ? word : "");
        }
        if (!command.hidden) names.emplace_back(command.name);
    }
    return did_you_mean(word, names);
}

/// Returns what to do if one of `ours` begins with a dash and was taken for an option: it may be of
/// the program that exec or build is to run, or be a key. Returns nothing if neither is likely.
std::string dash_hint(const Words& ours, CommandTable commands) {
    const bool has_longer = std::any_of(ours.begin(), ours.end(), [](const std::string& word) {
        return word.size() > 2 && word.starts_with('-');
    });
    for (const auto& word : ours) {
        const auto* command = find_command(commands, word);
        if (command == nullptr || command->max_words == 0) continue;
        if (command->runs_a_program) return "; `--` goes before COMMAND and its options";
        // One letter behind a dash is an option of another tool, as in `ls -l`, or a KEY or ID.
        const bool takes_names = command->synopsis.find("KEY") != std::string_view::npos ||
                                 command->synopsis.find("ID") != std::string_view::npos;
        if (has_longer || takes_names) return "; a word that begins with a dash goes after --";
        return {};
    }
    return {};
}

constexpr std::string_view is_empty = "is empty: perhaps a variable is not set";

/// Refuses an option's value that is empty, and a second value of an option that has only one. A
/// flag may be repeated, which changes nothing. So may the options of every command, of which the
/// last value counts: an alias or a script gives a first one.
Expected<> check_values(const options::SplitLine& split, std::span<const OptionSpec> specs) {
    std::set<std::string> seen;
    for (const auto& given : split.options) {
        const auto spec = std::find_if(specs.begin(), specs.end(), [&](const OptionSpec& one) {
            return options::long_name(one) == given.name;
        });
        if (spec != specs.end() && spec->argument != nullptr && given.value.empty())
            return fail_usage(
                fmt::format("the {} of --{} {}", spec->argument, given.name, is_empty));
        if (spec != specs.end() && spec->argument != nullptr && !spec->repeatable &&
            !is_one_of(global_options(), given.name) && !seen.insert(given.name).second)
            return fail_usage(
                fmt::format("--{} is given more than once, and takes one {}; see cachetool --help",
                            given.name, spec->argument));
    }
    return {};
}

/// Refuses an empty BUCKET, KEY and so on. A script gives one if a variable is not set.
Expected<> check_words(const ParsedArguments& arguments) {
    const auto places = places_of(arguments.command->synopsis);
    for (std::size_t i = 0; i < arguments.words.size(); ++i) {
        if (!arguments.words[i].empty() || places.empty()) continue;
        const auto& place = places[std::min(i, places.size() - 1)];
        if (place == "WORD" || (place == "KEY" && arguments.has("empty-key"))) continue;
        const bool takes_empty_key =
            place == "KEY" && is_one_of(arguments.command->options, "empty-key");
        return fail_usage(fmt::format("{} {}{}", place, is_empty,
                                      takes_empty_key ? "; --empty-key allows the empty key" : ""));
    }
    return {};
}

/// Removes an option from the list. Returns its last value, or nullopt if it was not given.
std::optional<std::string> take(ParsedArguments& arguments, std::string_view name) {
    const auto* given = arguments.value_of(name);
    if (given == nullptr) return std::nullopt;
    std::string value = *given;
    std::erase_if(arguments.options,
                  [&](const options::GivenOption& option) { return option.name == name; });
    return value;
}

/// Takes the options that every command has out of the list.
Expected<> take_globals(ParsedArguments& arguments) {
    arguments.help = take(arguments, "help").has_value();
    arguments.version = take(arguments, "version").has_value();
    arguments.json = take(arguments, "json").has_value();
    arguments.quiet = take(arguments, "quiet").has_value();
    arguments.allow_unsafe = take(arguments, "allow-unsafe").has_value();
    if (const auto cache = take(arguments, "cache")) arguments.cache = system::path_of(*cache);
    if (const auto log = take(arguments, "log")) arguments.log = system::path_of(*log);
    if (const auto timeout = take(arguments, "lock-timeout")) {
        arguments.lock_timeout = parse_seconds(*timeout);
        if (!arguments.lock_timeout)
            return fail_usage(fmt::format(
                "--lock-timeout wants seconds, such as 2.5, or a duration with its unit, such as "
                "10min, not \"{}\"",
                shown(*timeout)));
    }
    return {};
}

std::string usage_of(const Command& command) {
    return fmt::format("usage: cachetool {}{}{}; see cachetool {} --help", command.name,
                       command.synopsis.empty() ? "" : " ", command.synopsis, command.name);
}

/// Returns whether the line gives an option whose value is a number with a unit.
bool takes_a_quantity(const ParsedArguments& arguments) {
    const auto& specs = arguments.command->options;
    return std::any_of(specs.begin(), specs.end(), [&](const OptionSpec& spec) {
        const std::string_view kind = spec.argument == nullptr ? "" : spec.argument;
        return (kind == "SIZE" || kind == "D") && arguments.has(options::long_name(spec));
    });
}

/// Returns what is probably wrong with a line that has too few or too many words, in the form "...;
/// ", or nothing.
std::string hint_for_count(const ParsedArguments& arguments) {
    const Command& command = *arguments.command;
    const auto& words = arguments.words;
    if (command.runs_a_program && words.size() > command.min_words && arguments.program.empty())
        return "`--` is missing before COMMAND; ";
    const auto places = places_of(command.synopsis);
    if (words.size() < command.min_words && words.size() < places.size()) {
        if (words.size() + 1 == command.min_words && !words.empty() &&
            words[0].find('/') != std::string::npos && places[0] == "BUCKET" && places[1] == "KEY")
            return fmt::format("BUCKET and KEY are two words, and \"{}\" is one; ",
                               shown(words[0]));
        return fmt::format("{} is missing; ", places[words.size()]);
    }
    if (command.runs_a_program && arguments.program.empty())
        return "`--` and COMMAND are missing; ";
    if (words.size() > command.max_words) {
        const auto& extra = words[command.max_words];
        const auto most = counted(command.max_words, "word", "words");
        if (is_unit(extra) && takes_a_quantity(arguments))
            return fmt::format(
                "a number and its unit are one word, such as 10GiB or 30d, and \"{}\" stands "
                "alone; ",
                extra);
        return command.max_words == 0
                   ? fmt::format(
                         "{} takes no word such as \"{}\", because it is about the whole "
                         "cache, which --cache DIR names; ",
                         command.name, shown(extra))
                   : fmt::format("{} takes at most {}, and \"{}\" is one more; ", command.name,
                                 most, shown(extra));
    }
    return {};
}

/// Refuses a line whose words are too few or too many.
tl::unexpected<Failure> fail_count(const ParsedArguments& arguments) {
    return fail_usage(hint_for_count(arguments) + usage_of(*arguments.command));
}

/// Divides what stands after "--" into words that the command still lacks and the program that it
/// is to run.
Expected<> take_program(ParsedArguments& arguments, Words rest) {
    auto& words = arguments.words;
    const auto& command = *arguments.command;
    if (!command.runs_a_program) {
        words.insert(words.end(), rest.begin(), rest.end());
        return {};
    }
    if (words.size() < command.min_words) {
        // As in `exec -- BUCKET -KEY -- COMMAND`: the first "--" was for the words.
        const auto missing = command.min_words - words.size();
        if (rest.size() <= missing || rest[missing] != "--") return fail_count(arguments);
        const auto dashes = rest.begin() + static_cast<std::ptrdiff_t>(missing);
        words.insert(words.end(), rest.begin(), dashes);
        rest.erase(rest.begin(), dashes + 1);
    }
    if (rest.empty()) return fail_count(arguments);
    arguments.program = std::move(rest);
    return {};
}

Expected<> check_against_command(const ParsedArguments& arguments) {
    const Command& command = *arguments.command;
    for (const auto& given : arguments.options) {
        if (!is_one_of(command.options, given.name))
            return fail_usage(fmt::format(
                "{} takes no --{}{}; see cachetool {} --help", command.name, given.name,
                did_you_mean("--" + given.name, names_of(command.options)), command.name));
    }
    const auto count = arguments.words.size();
    if (!command.instead_of_words.empty() && arguments.has(command.instead_of_words)) {
        if (count == 0) return {};
        return fail_usage(fmt::format("{} takes either {} or --{}, not both", command.name,
                                      command.synopsis, command.instead_of_words));
    }
    if (count < command.min_words || count > command.max_words) return fail_count(arguments);
    return check_words(arguments);
}

Expected<> split_into(ParsedArguments& arguments, const Words& ours, CommandTable commands) {
    const auto specs = all_options(commands);
    auto split = options::split(ours, specs, options::Repeats::allowed);
    if (!split) {
        auto suggestion = suggested_option(ours, commands);
        if (suggestion.empty() && split.error().starts_with("unrecognised option"))
            suggestion = dash_hint(ours, commands);
        return fail_usage(fmt::format("{}{}; see cachetool --help", split.error(), suggestion));
    }
    LARDER_TRY(check_values(*split, specs));
    static_cast<options::SplitLine&>(arguments) = std::move(*split);
    return {};
}

}  // namespace

Expected<ParsedArguments> parse(const Words& args, CommandTable commands) {
    const auto dashes = std::find(args.begin(), args.end(), "--");
    Words rest(dashes == args.end() ? dashes : dashes + 1, args.end());
    ParsedArguments arguments;
    LARDER_TRY(split_into(arguments, Words(args.begin(), dashes), commands));
    LARDER_TRY(take_globals(arguments));

    auto& words = arguments.words;
    if (words.empty() && !rest.empty()) {
        words.push_back(std::move(rest.front()));
        rest.erase(rest.begin());
    }
    // Many tools have these two as commands.
    if (!words.empty() && (words.front() == "help" || words.front() == "version")) {
        (words.front() == "help" ? arguments.help : arguments.version) = true;
        words.erase(words.begin());
    }
    if (words.empty()) {
        if (arguments.help || arguments.version) return arguments;
        return fail_usage("no command given; see cachetool --help");
    }
    arguments.command = find_command(commands, words.front());
    if (arguments.command == nullptr) {
        if (words.front().empty()) return fail_usage(fmt::format("the command {}", is_empty));
        const auto directory = arguments.cache ? system::text_of(*arguments.cache) : std::string();
        const auto hint =
            find_command(commands, directory) == nullptr
                ? suggested_command(words.front(), commands)
                : fmt::format(", and --cache has taken \"{}\" as its DIR", shown(directory));
        return fail_usage(fmt::format("there is no command \"{}\"{}; see cachetool --help",
                                      shown(words.front()), hint));
    }
    words.erase(words.begin());
    if (arguments.help || arguments.version) return arguments;
    LARDER_TRY(take_program(arguments, std::move(rest)));
    LARDER_TRY(check_against_command(arguments));
    return arguments;
}

std::optional<std::chrono::milliseconds> parse_seconds(const std::string& text) {
    constexpr double limit = 1e9;  // thirty years: arbitrary, and far from overflowing any clock
    auto seconds = options::decimal_number(text);
    if (!seconds) seconds = duration_with_unit(text);
    if (!seconds || *seconds < 0 || *seconds > limit) return std::nullopt;
    return std::chrono::milliseconds(std::llround(*seconds * 1000));
}

bool asks_for_json(const Words& args) {
    const auto dashes = std::find(args.begin(), args.end(), "--");
    return std::find(args.begin(), dashes, "--json") != dashes;
}

}  // namespace cachetool
