// SPDX-License-Identifier: MIT
#include "cachetool/options/options.hpp"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <set>

namespace larder::options {
namespace {

namespace po = boost::program_options;

constexpr int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

po::options_description description_of(std::span<const OptionSpec> specs) {
    po::options_description description;
    for (const auto& spec : specs) {
        if (spec.argument == nullptr) {
            description.add_options()(spec.name, spec.help);
        } else {
            description.add_options()(
                spec.name, po::value<std::string>()->value_name(spec.argument), spec.help);
        }
    }
    return description;
}

/// Returns what is wrong with `line`, for which Boost threw `error`. Boost fills in the
/// placeholders of its messages one at a time until none is left. If a word of the line holds a
/// placeholder, that never ends, so such a word gets a message of our own.
std::string message_of(const po::error& error, const std::vector<std::string>& line) {
    static constexpr std::array<std::string_view, 5> placeholders = {
        "%canonical_option%", "%option%", "%original_token%", "%prefix%", "%value%"};
    for (const auto& word : line) {
        const bool holds_one =
            std::any_of(placeholders.begin(), placeholders.end(),
                        [&](std::string_view one) { return word.find(one) != std::string::npos; });
        if (holds_one) return "the options can't be understood, because of '" + word + "'";
    }
    return error.what();
}

/// Returns "-n, --dry-run" or "--cache DIR".
std::string shown_name(const OptionSpec& spec) {
    const auto name = long_name(spec);
    std::string shown = "--" + std::string(name);
    const auto letter = std::string_view(spec.name).substr(name.size());
    if (!letter.empty()) shown.insert(0, "-" + std::string(letter.substr(1)) + ", ");
    if (spec.argument != nullptr) shown += " " + std::string(spec.argument);
    return shown;
}

/// Appends `words` in lines of at most `columns`. The first one goes on at `indent`, where the
/// others begin.
void append_wrapped(std::string& text, std::string_view words, std::size_t indent,
                    std::size_t columns) {
    std::size_t column = indent;
    while (!words.empty()) {
        const auto word = words.substr(0, words.find(' '));
        words.remove_prefix(std::min(word.size() + 1, words.size()));
        if (column > indent && column + 1 + word.size() > columns) {
            text += "\n" + std::string(indent, ' ');
            column = indent;
        } else if (column > indent) {
            text += ' ';
            ++column;
        }
        text += word;
        column += word.size();
    }
    text += '\n';
}

SplitLine divide(const std::vector<std::string>& line, std::span<const OptionSpec> specs,
                 Repeats repeats) {
    SplitLine split;
    std::set<std::string> seen;
    const auto description = description_of(specs);
    for (const auto& option :
         po::command_line_parser(line).options(description).style(style).run().options) {
        if (option.string_key.empty()) {
            // Boost takes "--=x" for an option without a name, whose value is the word x.
            if (option.value != option.original_tokens)
                throw po::unknown_option(option.original_tokens.front());
            split.words.insert(split.words.end(), option.value.begin(), option.value.end());
            continue;
        }
        if (!seen.insert(option.string_key).second && repeats == Repeats::refused)
            throw po::error("option '--" + option.string_key + "' is given more than once");
        split.options.push_back(
            {option.string_key, option.value.empty() ? std::string() : option.value.back()});
    }
    return split;
}

}  // namespace

std::string_view long_name(const OptionSpec& spec) {
    const std::string_view name = spec.name;
    return name.substr(0, name.find(','));
}

const std::string* SplitLine::value_of(std::string_view option) const {
    const auto found = std::find_if(options.rbegin(), options.rend(),
                                    [&](const GivenOption& given) { return given.name == option; });
    return found == options.rend() ? nullptr : &found->value;
}

std::string SplitLine::value_or(std::string_view option, std::string_view fallback) const {
    const auto* value = value_of(option);
    return value == nullptr ? std::string(fallback) : *value;
}

std::vector<std::string> SplitLine::values_of(std::string_view option) const {
    std::vector<std::string> values;
    for (const auto& given : options) {
        if (given.name == option) values.push_back(given.value);
    }
    return values;
}

tl::expected<SplitLine, std::string> split(const std::vector<std::string>& line,
                                           std::span<const OptionSpec> specs, Repeats repeats) {
    try {
        return divide(line, specs, repeats);
    } catch (const po::error& error) {
        return tl::unexpected(message_of(error, line));
    }
}

std::string described(std::string_view title, std::span<const OptionSpec> specs, unsigned columns) {
    // Beside longer names there would be too little room for what they mean.
    // In narrow terminals, leave room for the longest word of a description.
    std::size_t longest_word = 0;
    for (const auto& spec : specs) {
        for (std::string_view help = spec.help; !help.empty();) {
            const auto word = std::min(help.find(' '), help.size());
            longest_word = std::max(longest_word, word);
            help.remove_prefix(std::min(word + 1, help.size()));
        }
    }
    const std::size_t room = columns - std::min<std::size_t>(columns, longest_word + 4);
    const std::size_t widest = std::min<std::size_t>(columns * 3 / 8, room);
    std::size_t width = 0;
    for (const auto& spec : specs) {
        const auto size = shown_name(spec).size();
        if (size <= widest) width = std::max(width, size);
    }
    std::string text(title);
    text += ":\n";
    for (const auto& spec : specs) {
        const auto name = shown_name(spec);
        text += "  " + name;
        const bool fits = name.size() <= width;
        text +=
            fits ? std::string(width - name.size() + 2, ' ') : "\n" + std::string(width + 4, ' ');
        append_wrapped(text, spec.help, width + 4, columns);
    }
    return text;
}

}  // namespace larder::options
