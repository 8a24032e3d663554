// SPDX-License-Identifier: MIT
// Sizes, durations, times and percentages, as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "cachetool/term/failure.hpp"

namespace cachetool {

/// Returns whether `word` is a unit of a size or of a duration, such as "GiB" or "h".
[[nodiscard]] bool is_unit(std::string_view word);

/// Reads a duration with its unit, in seconds. Returns nullopt for any other text.
[[nodiscard]] std::optional<double> duration_with_unit(std::string_view text);

// Each function of the rest names `option` in its failure, which is one of wrong usage.

/// Reads a number of bytes: "4096B", "500MB", "1.5GiB", "10G", or "0". Every other number needs its
/// unit, and a space may stand between the two. A unit without a B is one of 1024.
[[nodiscard]] Expected<std::uint64_t> parse_size(std::string_view option, std::string_view text);

/// Reads a duration: "90s", "15min", "12h", "30d", "2w", or "0". Every other number needs its unit.
/// The longest is a hundred years.
[[nodiscard]] Expected<std::chrono::seconds> parse_duration(std::string_view option,
                                                            std::string_view text);

/// Reads a whole number.
[[nodiscard]] Expected<std::uint64_t> parse_count(std::string_view option, std::string_view text);

/// Reads a time of the past: "2026-11-30", "2026-11-30T12:00:00Z" as the JSON documents have it, in
/// UTC, or "@1764500000", the seconds since 1970.
[[nodiscard]] Expected<std::chrono::system_clock::time_point> parse_past(std::string_view option,
                                                                         std::string_view text);

/// Reads a percentage from `low` to 100: "90%" or "90".
[[nodiscard]] Expected<unsigned> parse_percent(std::string_view option, std::string_view text,
                                               unsigned low);

}  // namespace cachetool
