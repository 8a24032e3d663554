// SPDX-License-Identifier: MIT
// The record: what an entry says of itself, so that it can be found, listed, judged and doubted.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <larder/options.hpp>
#include <larder/report.hpp>

namespace larder::format {

/// On disk it is text, one field a line, in this order:
///     larder record 1
///     bucket NAME          percent-encoded, as in its directory's name
///     key KEY              percent-encoded, in full
///     time SECONDS.NANOS   when it was published
///     boot HEX             which boot of which machine published it
///     durability process|power
///     bytes N
///     files N
///     producer TEXT        percent-encoded
///     end CRC              CRC-32 of all bytes before this line, eight hexadecimal digits
struct Record {
    std::string bucket;
    std::string key;
    WallTime published;
    std::string boot;
    Durability durability = Durability::process;
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
    std::string producer;

    friend bool operator==(const Record&, const Record&) = default;
};

/// A record is never longer: a key of 4,096 bytes takes three times that, and the rest is short.
inline constexpr std::size_t max_record = 16 * 1024;

[[nodiscard]] std::string print_record(const Record& record);
/// Nothing for anything but a whole record: cut off at any length, or changed in any byte, it is none.
[[nodiscard]] std::optional<Record> parse_record(std::string_view text);

}  // namespace larder::format
