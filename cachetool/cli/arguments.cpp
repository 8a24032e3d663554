// SPDX-License-Identifier: MIT
#include "cachetool/cli/arguments.hpp"

#include <algorithm>
#include <boost/lexical_cast/try_lexical_convert.hpp>
#include <boost/program_options.hpp>
#include <cmath>
#include <fmt/format.h>
#include <set>

#include "cachetool/cli/command.hpp"
#include "cachetool/cli/nearest.hpp"
#include "cachetool/cli/program_options.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

namespace po = boost::program_options;

using Words = std::vector<std::string>;

/// One grammar for the whole line, whichever command it holds: options of the same name are the same everywhere. So the
/// command needs no place of its own, and an option that belongs to another command gets an answer that says so.
po::options_description all_options() {
    po::options_description description;
    std::set<std::string> seen;
    const auto add = [&](const Option& option) {
        if (!seen.insert(option.name).second) return;
        if (option.argument == nullptr) {
            description.add_options()(option.name, option.help);
        } else {
            description.add_options()(
                option.name, po::value<std::string>()->value_name(option.argument), option.help);
        }
    };
    for (const auto& option : global_options()) add(option);
    for (const auto& command : commands()) {
        for (const auto& option : command.options) add(option);
    }
    return description;
}

/// Splits `args` into options and words. Throws po::error.
void parse_options(const Words& args, Arguments& arguments) {
    auto& words = arguments.words;
    const auto description = all_options();
    for (const auto& option :
         po::command_line_parser(args).options(description).style(usage::style).run().options) {
        if (option.string_key.empty()) {
            // "--=x" is an option without a name to Boost, and x a word.
            if (option.value != option.original_tokens)
                throw po::unknown_option(option.original_tokens.front());
            words.insert(words.end(), option.value.begin(), option.value.end());
        } else {
            const std::string value = option.value.empty() ? std::string() : option.value.back();
            arguments.options[option.string_key] = value;
            arguments.repeated[option.string_key].push_back(value);
        }
    }
}

std::vector<std::string> names_of(std::span<const Option> options) {
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
            every.find_nothrow(name.substr(2), false) == nullptr)
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
            [&, &wanted = name](const Option& option) { return option.name == wanted; });
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
    try {
        parse_options(ours, arguments);
    } catch (const po::error& error) {
        return fail_usage(fmt::format("{}{}; see cachetool --help", usage::message_of(error, ours),
                                      did_you_mean_option(ours)));
    }
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
    double seconds = 0;
    if (!boost::conversion::try_lexical_convert(text, seconds) || !std::isfinite(seconds) ||
        seconds < 0 || seconds > limit)
        return std::nullopt;
    return std::chrono::milliseconds(std::llround(seconds * 1000));
}

bool asks_for_json(const std::vector<std::string>& args) {
    const auto dashes = std::find(args.begin(), args.end(), "--");
    return std::find(args.begin(), dashes, "--json") != dashes;
}

}  // namespace cachetool
