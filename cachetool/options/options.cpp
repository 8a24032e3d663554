// SPDX-License-Identifier: MIT
#include "cachetool/options/options.hpp"

#include <algorithm>
#include <array>
#include <boost/program_options.hpp>
#include <set>
#include <sstream>

namespace larder::options {
namespace {

namespace po = boost::program_options;

constexpr int style = po::command_line_style::unix_style & ~po::command_line_style::allow_guessing;

po::options_description description_of(std::string_view title, std::span<const OptionSpec> specs,
                                       unsigned columns) {
    po::options_description description(std::string(title), columns);
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

SplitLine divide(const std::vector<std::string>& line, std::span<const OptionSpec> specs,
                 Repeats repeats) {
    SplitLine split;
    std::set<std::string> seen;
    const auto description = description_of("", specs, 80);
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
    std::ostringstream out;
    out << description_of(title, specs, columns);
    auto text = out.str();
    // Boost leaves the space at which it breaks a line.
    for (std::size_t at = 0; (at = text.find(" \n", at)) != std::string::npos;) text.erase(at, 1);
    return text;
}

}  // namespace larder::options
