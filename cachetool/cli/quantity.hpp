// SPDX-License-Identifier: MIT
// Sizes, durations and shares, as people write them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "cachetool/cli/failure.hpp"

namespace cachetool {

// `option` is named in the failure, which is one of usage.

/// Bytes: "4096", "500MB", "1.5GiB", "10G" (a unit alone is one of 1024).
[[nodiscard]] tl::expected<std::uint64_t, Failure> parse_size(std::string_view option,
                                                              std::string_view text);

/// "90s", "15min", "12h", "30d", "2w"; without a unit, seconds. Up to a hundred years.
[[nodiscard]] tl::expected<std::chrono::seconds, Failure> parse_duration(std::string_view option,
                                                                         std::string_view text);

/// A whole number.
[[nodiscard]] tl::expected<std::uint64_t, Failure> parse_count(std::string_view option,
                                                               std::string_view text);

/// "90%" or "90", from `low` to 100.
[[nodiscard]] tl::expected<unsigned, Failure> parse_percent(std::string_view option,
                                                            std::string_view text, unsigned low);

}  // namespace cachetool
