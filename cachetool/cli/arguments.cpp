// SPDX-License-Identifier: MIT
#include "cachetool/cli/arguments.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/nearest.hpp"
#include "cachetool/options/number.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

namespace options = larder::options;

using Words = std::vector<std::string>;

/// One grammar for the whole line, whichever command it holds: options of the same name are the same everywhere. So the
/// command needs no place of its own, and an option that belongs to another command gets an answer that says so.
std::vector<OptionSpec> all_options() {
    std::vector<OptionSpec> all;
    std::set<std::string_view> seen;
    const auto add = [&](std::span<const OptionSpec> options) {
        for (const auto& option : options) {
            if (seen.insert(option.name).second) all.push_back(option);
        }
    };
    add(global_options());
    for (const auto& command : commands()) add(command.options);
    return all;
}

/// Splits `args` into options and words. Errors: a sentence.
tl::expected<void, std::string> split_into(Arguments& arguments, const Words& args) {
    auto split = options::split(args, all_options(), options::Repeats::allowed);
    if (!split) return tl::unexpected(std::move(split).error());
    arguments.words = std::move(split->words);
    for (auto& [name, value] : split->options) {
        arguments.repeated[name].push_back(value);
        arguments.options[name] = std::move(value);
    }
    return {};
}

std::vector<std::string> names_of(std::span<const OptionSpec> options) {
    std::vector<std::string> names;
    for (const auto& option : options) names.push_back("--" + std::string(long_name(option)));
    return names;
}

/// What was probably meant by the first option of `ours` that there is none of: one that the command takes, where a command was
/// named.
std::string did_you_mean_option(const Words& ours) {
    const Command* command = nullptr;
    for (const auto& word : ours) {
        if (command == nullptr) command = find_command(word);
    }
    auto names = names_of(global_options());
    for (const auto& one : commands()) {
        if (command != nullptr ? &one != command : one.hidden) continue;
        const auto own = names_of(one.options);
        names.insert(names.end(), own.begin(), own.end());
    }
    const auto every = all_options();
    for (const auto& word : ours) {
        const auto name = word.substr(0, word.find('='));
        if (name.starts_with("--") && name.size() > 2 &&
            std::none_of(every.begin(), every.end(), [&](const OptionSpec& option) {
                return long_name(option) == name.substr(2);
            }))
            return did_you_mean(name, names);
    }
    return {};
}

std::string did_you_mean_command(std::string_view word) {
    std::vector<std::string> names;
    for (const auto& command : commands()) {
        if (!command.hidden) names.emplace_back(command.name);
    }
    return did_you_mean(word, names);
}

/// Moves what every command takes out of `arguments.options`.
tl::expected<void, Failure> take_globals(Arguments& arguments) {
    auto& options = arguments.options;
    arguments.help = options.erase("help") > 0;
    arguments.version = options.erase("version") > 0;
    arguments.json = options.erase("json") > 0;
    arguments.quiet = options.erase("quiet") > 0;
    if (const auto cache = options.extract("cache")) {
        if (cache.mapped().empty()) return fail_usage("--cache wants a directory");
        arguments.cache = cache.mapped();
    }
    if (const auto log = options.extract("log")) {
        if (log.mapped().empty()) return fail_usage("--log wants a file");
        arguments.log = log.mapped();
    }
    if (const auto timeout = options.extract("lock-timeout")) {
        arguments.lock_timeout = parse_seconds(timeout.mapped());
        if (!arguments.lock_timeout)
            return fail_usage(
                fmt::format("--lock-timeout wants seconds, not \"{}\"", timeout.mapped()));
    }
    return {};
}

std::string usage_of(const Command& command) {
    return fmt::format("usage: cachetool {}{}{}; see cachetool {} --help", command.name,
                       command.synopsis.empty() ? "" : " ", command.synopsis, command.name);
}

/// Divides what stands after `--` into words that the command still wants and the program that it is to run.
tl::expected<void, Failure> take_program(Arguments& arguments, Words rest) {
    auto& words = arguments.words;
    if (arguments.command->runs_a_program) {
        const std::size_t missing =
            arguments.command->min_words - std::min(words.size(), arguments.command->min_words);
        if (missing > 0) {
            // As in `exec -- BUCKET -KEY -- COMMAND`: the first `--` was for the words.
            if (rest.size() <= missing || rest[missing] != "--")
                return fail_usage(usage_of(*arguments.command));
            words.insert(words.end(), rest.begin(),
                         rest.begin() + static_cast<std::ptrdiff_t>(missing));
            rest.erase(rest.begin(), rest.begin() + static_cast<std::ptrdiff_t>(missing) + 1);
        }
        if (rest.empty()) return fail_usage(usage_of(*arguments.command));
        arguments.program = std::move(rest);
    } else {
        words.insert(words.end(), rest.begin(), rest.end());
    }
    return {};
}

tl::expected<void, Failure> check_against_command(const Arguments& arguments) {
    const Command& command = *arguments.command;
    for (const auto& [name, value] : arguments.options) {
        const bool known = std::any_of(
            command.options.begin(), command.options.end(),
            [&, &wanted = name](const OptionSpec& option) { return option.name == wanted; });
        if (!known)
            return fail_usage(
                fmt::format("{} takes no --{}{}; see cachetool {} --help", command.name, name,
                            did_you_mean("--" + name, names_of(command.options)), command.name));
    }
    const auto count = arguments.words.size();
    if (count < command.min_words || count > command.max_words)
        return fail_usage(usage_of(command));
    return {};
}

}  // namespace

tl::expected<Arguments, Failure> parse(const std::vector<std::string>& args) {
    const auto dashes = std::find(args.begin(), args.end(), "--");
    Words rest(dashes == args.end() ? dashes : dashes + 1, args.end());
    Arguments arguments;
    const Words ours(args.begin(), dashes);
    if (const auto split = split_into(arguments, ours); !split)
        return fail_usage(
            fmt::format("{}{}; see cachetool --help", split.error(), did_you_mean_option(ours)));
    if (auto globals = take_globals(arguments); !globals) return tl::unexpected(globals.error());

    auto& words = arguments.words;
    if (words.empty() && !rest.empty()) {
        words.push_back(rest.front());
        rest.erase(rest.begin());
    }
    if (words.empty()) {
        if (arguments.help || arguments.version) return arguments;
        return fail_usage("no command given; see cachetool --help");
    }
    arguments.command = find_command(words.front());
    if (arguments.command == nullptr) {
        return fail_usage(fmt::format("there is no command \"{}\"{}; see cachetool --help",
                                      shown(words.front()), did_you_mean_command(words.front())));
    }
    words.erase(words.begin());
    if (arguments.help || arguments.version) return arguments;

    if (auto program = take_program(arguments, std::move(rest)); !program)
        return tl::unexpected(program.error());
    if (auto checked = check_against_command(arguments); !checked)
        return tl::unexpected(checked.error());
    return arguments;
}

std::optional<std::chrono::milliseconds> parse_seconds(const std::string& text) {
    constexpr double limit = 1e9;  // thirty years: arbitrary, and far from overflowing any clock
    const auto seconds = options::decimal_number(text);
    if (!seconds || *seconds < 0 || *seconds > limit) return std::nullopt;
    return std::chrono::milliseconds(std::llround(*seconds * 1000));
}

bool asks_for_json(const std::vector<std::string>& args) {
    const auto dashes = std::find(args.begin(), args.end(), "--");
    return std::find(args.begin(), dashes, "--json") != dashes;
}

}  // namespace cachetool
