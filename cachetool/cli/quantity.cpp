// SPDX-License-Identifier: MIT
#include "cachetool/cli/quantity.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>
#include <span>

#include "cachetool/options/number.hpp"
#include "cachetool/system/clock.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

struct UnitFactor {
    std::string_view name;
    double factor;
};

constexpr double kib = 1024, kb = 1000;

/// The units of sizes, in small letters. A unit without a B is one of 1024.
constexpr std::array<UnitFactor, 13> size_units{{{"b", 1},
                                                 {"k", kib},
                                                 {"kib", kib},
                                                 {"kb", kb},
                                                 {"m", kib* kib},
                                                 {"mib", kib* kib},
                                                 {"mb", kb* kb},
                                                 {"g", kib* kib* kib},
                                                 {"gib", kib* kib* kib},
                                                 {"gb", kb* kb* kb},
                                                 {"t", kib* kib* kib* kib},
                                                 {"tib", kib* kib* kib* kib},
                                                 {"tb", kb* kb* kb* kb}}};

constexpr double minute = 60, hour = 60 * minute, day = 24 * hour;

constexpr std::array<UnitFactor, 16> duration_units{{{"s", 1},
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
                                                     {"weeks", 7 * day}}};

/// Reads a number and its unit. A space may stand between them. Returns nullopt if `text` is
/// something else.
std::optional<double> parse(std::string_view text, std::span<const UnitFactor> units) {
    const auto digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const auto number = larder::options::decimal_number(text.substr(0, digits));
    if (!number) return std::nullopt;
    text.remove_prefix(digits);
    if (text.size() > 1 && text.starts_with(' ')) text.remove_prefix(1);
    const std::string unit = in_small_letters(text);
    for (const auto& [name, factor] : units) {
        if (unit == name) return *number * factor;
    }
    return std::nullopt;
}

using std::chrono::system_clock;

std::optional<system_clock::time_point> seconds_since_1970(std::string_view text) {
    const auto number = larder::options::decimal_number(text);
    // The nanoseconds of the clock end in the year 2262.
    if (!number || *number < 0 || *number >= 9e9) return std::nullopt;
    return system_clock::time_point(
        std::chrono::duration_cast<system_clock::duration>(std::chrono::duration<double>(*number)));
}

/// Takes a number of `digits` digits from the front of `text`, and the character `before` ahead of
/// it unless that is 0. Returns nullopt if that does not stand there.
std::optional<int> take_number(std::string_view& text, std::size_t digits, char before) {
    if (before != 0) {
        if (!text.starts_with(before)) return std::nullopt;
        text.remove_prefix(1);
    }
    if (text.size() < digits) return std::nullopt;
    const auto number = larder::options::whole_number(text.substr(0, digits));
    text.remove_prefix(digits);
    return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

/// Reads a date, and the time of day if there is one, to the second or to a part of it.
std::optional<system_clock::time_point> utc_time(std::string_view text) {
    namespace chrono = std::chrono;
    if (text.ends_with('Z')) text.remove_suffix(1);
    const auto y = take_number(text, 4, 0), m = take_number(text, 2, '-'),
               d = take_number(text, 2, '-');
    if (!y || !m || !d) return std::nullopt;
    const chrono::year_month_day date(chrono::year(*y), chrono::month(static_cast<unsigned>(*m)),
                                      chrono::day(static_cast<unsigned>(*d)));
    if (!date.ok() || *y < 1970 || *y > 2261) return std::nullopt;
    const system_clock::time_point midnight = chrono::sys_days(date);
    if (text.empty()) return midnight;
    const auto h = take_number(text, 2, 'T'), min = take_number(text, 2, ':'),
               s = take_number(text, 2, ':');
    if (!h || !min || !s || *h > 23 || *min > 59 || *s > 60) return std::nullopt;
    double part = 0;
    if (!text.empty()) {
        const auto fraction = larder::options::decimal_number("0" + std::string(text));
        if (!text.starts_with('.') || !fraction) return std::nullopt;
        part = *fraction;
    }
    return midnight + chrono::hours(*h) + chrono::minutes(*min) + chrono::seconds(*s) +
           chrono::duration_cast<system_clock::duration>(chrono::duration<double>(part));
}

tl::unexpected<Failure> fail_wanting(std::string_view option, std::string_view what,
                                     std::string_view text) {
    return fail_usage(fmt::format("--{} wants {}, not \"{}\"", option, what, shown(text)));
}

}  // namespace

bool is_unit(std::string_view word) {
    const auto is_named = [unit = in_small_letters(word)](const UnitFactor& one) {
        return one.name == unit;
    };
    return std::any_of(size_units.begin(), size_units.end(), is_named) ||
           std::any_of(duration_units.begin(), duration_units.end(), is_named);
}

std::optional<double> duration_with_unit(std::string_view text) {
    return parse(text, duration_units);
}

Expected<std::uint64_t> parse_size(std::string_view option, std::string_view text) {
    // Without a unit, only 0 is clear: 5 might mean gigabytes, and a gc would evict everything.
    const auto bytes = parse(text == "0" ? "0B" : text, size_units);
    // 2 to the power of 63, which is more than any file system holds.
    if (!bytes || *bytes >= 9223372036854775808.0)
        return fail_wanting(option, "a size with its unit, such as 500MB or 10GiB", text);
    return static_cast<std::uint64_t>(std::llround(*bytes));
}

Expected<std::chrono::seconds> parse_duration(std::string_view option, std::string_view text) {
    // Without a unit, only 0 is clear: 30 might mean days.
    const auto seconds = duration_with_unit(text == "0" ? "0s" : text);
    if (!seconds)
        return fail_wanting(
            option, "a duration with its unit (s, min, h, d or w), such as 12h or 30d", text);
    // A century is as good as for ever.
    return std::chrono::seconds(std::llround(std::min(*seconds, 36'500 * day)));
}

Expected<std::chrono::system_clock::time_point> parse_past(std::string_view option,
                                                           std::string_view text) {
    const auto time = text.starts_with('@') ? seconds_since_1970(text.substr(1)) : utc_time(text);
    if (!time)
        return fail_wanting(option, "a time such as 2026-11-30T12:00:00Z or @1764500000", text);
    if (*time > system::wall_time()) return fail_wanting(option, "a time of the past", text);
    return *time;
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
