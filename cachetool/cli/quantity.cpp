// SPDX-License-Identifier: MIT
#include "cachetool/cli/quantity.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <utility>

#include "cachetool/options/number.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using UnitFactors = std::initializer_list<std::pair<std::string_view, double>>;

constexpr double kib = 1024, kb = 1000;

/// Reads a number and its unit. Returns nullopt if `text` is something else.
std::optional<double> parse(std::string_view text, const UnitFactors& units) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = larder::options::decimal_number(text.substr(0, digits));
    if (!number) return std::nullopt;
    std::string unit(text.substr(digits));
    std::transform(unit.begin(), unit.end(), unit.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    for (const auto& [name, factor] : units) {
        if (unit == name) return *number * factor;
    }
    return std::nullopt;
}

tl::unexpected<Failure> fail_wanting(std::string_view option, std::string_view what,
                                     std::string_view text) {
    return fail_usage(fmt::format("--{} wants {}, not \"{}\"", option, what, shown(text)));
}

}  // namespace

Expected<std::uint64_t> parse_size(std::string_view option, std::string_view text) {
    // Without a unit, only 0 is clear: 5 might mean gigabytes, and a gc would evict everything.
    const auto bytes = parse(text == "0" ? "0B" : text, {{"b", 1},
                                                         {"k", kib},
                                                         {"kib", kib},
                                                         {"kb", kb},
                                                         {"m", kib * kib},
                                                         {"mib", kib * kib},
                                                         {"mb", kb * kb},
                                                         {"g", kib * kib * kib},
                                                         {"gib", kib * kib * kib},
                                                         {"gb", kb * kb * kb},
                                                         {"t", kib * kib * kib * kib},
                                                         {"tib", kib * kib * kib * kib},
                                                         {"tb", kb * kb * kb * kb}});
    // 2 to the power of 63, which is more than any file system holds.
    if (!bytes || *bytes >= 9223372036854775808.0)
        return fail_wanting(option, "a size with its unit, such as 500MB or 10GiB", text);
    return static_cast<std::uint64_t>(std::llround(*bytes));
}

Expected<std::chrono::seconds> parse_duration(std::string_view option, std::string_view text) {
    constexpr double minute = 60, hour = 60 * minute, day = 24 * hour;
    // Without a unit, only 0 is clear: 30 might mean days.
    const auto seconds = parse(text == "0" ? "0s" : text, {{"s", 1},
                                                           {"sec", 1},
                                                           {"second", 1},
                                                           {"seconds", 1},
                                                           {"min", minute},
                                                           {"minute", minute},
                                                           {"minutes", minute},
                                                           {"h", hour},
                                                           {"hour", hour},
                                                           {"hours", hour},
                                                           {"d", day},
                                                           {"day", day},
                                                           {"days", day},
                                                           {"w", 7 * day},
                                                           {"week", 7 * day},
                                                           {"weeks", 7 * day}});
    if (!seconds)
        return fail_wanting(
            option, "a duration with its unit (s, min, h, d or w), such as 12h or 30d", text);
    // A century is as good as for ever.
    return std::chrono::seconds(std::llround(std::min(*seconds, 36'500 * day)));
}

Expected<std::uint64_t> parse_count(std::string_view option, std::string_view text) {
    const auto count = larder::options::whole_number(text);
    if (!count) return fail_wanting(option, "a whole number that is not negative", text);
    return *count;
}

Expected<unsigned> parse_percent(std::string_view option, std::string_view text, unsigned low) {
    const std::string_view number = text.substr(0, text.size() - (text.ends_with('%') ? 1 : 0));
    const auto percent = parse_count(option, number);
    if (!percent || *percent < low || *percent > 100)
        return fail_wanting(option, fmt::format("a percentage from {} to 100", low), text);
    return static_cast<unsigned>(*percent);
}

}  // namespace cachetool
