// SPDX-License-Identifier: MIT
// Values as people read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cachetool {

/// Text from outside, safe to show on a terminal: characters that control it (or reorder what it shows), and bytes that are
/// not UTF-8, become escapes such as \n, \u{9b} and \xff. Everything else stays as it is.
[[nodiscard]] std::string harmless(std::string_view text);

/// The same for a key or a bucket, and reversible: a backslash is doubled, and the empty key is "".
[[nodiscard]] std::string shown(std::string_view key);

/// "512 B", "41.3 MiB"
[[nodiscard]] std::string shown_size(std::uint64_t bytes);

/// "12 s", "5 min", "3 h", "40 d"
[[nodiscard]] std::string shown_age(std::chrono::system_clock::time_point then);

/// A length of time, in the same words.
[[nodiscard]] std::string shown_duration(std::chrono::seconds duration);

/// "1 entry", "2 entries"
[[nodiscard]] std::string counted(std::uint64_t count, std::string_view one, std::string_view many);

/// A UTC time to the microsecond as ISO 8601 writes it: "2024-02-29T12:00:00.000000Z".
[[nodiscard]] std::string iso_time(std::chrono::system_clock::time_point time);

/// Rows in aligned columns, for stdout; cells may be coloured. The last column is not padded, so that one key of four kilobytes
/// costs the others nothing. A heading that begins with '>' aligns its column to the right (and is shown without it).
[[nodiscard]] std::string table(std::vector<std::string> headings,
                                const std::vector<std::vector<std::string>>& rows);

}  // namespace cachetool
