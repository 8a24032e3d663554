// SPDX-License-Identifier: MIT
// The record: a small text file beside an entry's tree that says which entry it is.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <larder/options.hpp>
#include <larder/report.hpp>

namespace larder::format {

/// On disk a record is text. It has one field on each line, in this order:
///     larder record 1
///     bucket NAME          percent-encoded, as in its directory's name
///     key KEY              percent-encoded, in full
///     time SECONDS.NANOS   when it was published
///     boot HEX             the boot of the machine that published it
///     durability process|power
///     bytes N
///     files N
///     producer TEXT        percent-encoded
///     metadata TEXT        percent-encoded; without text there is no such line
///     end CRC              CRC-32 of all bytes before this line, eight hexadecimal digits
struct Record {
    std::string bucket;  ///< as the caller wrote it
    std::string key;     ///< as the caller wrote it
    WallTime published;
    std::string boot;  ///< the id of a boot: 32 hexadecimal digits
    Durability durability = Durability::process;
    std::uint64_t bytes = 0;  ///< as tree::Size counts them
    std::uint64_t files = 0;  ///< the same
    std::string producer;     ///< what made the entry, for people; may be empty
    std::string metadata{};   ///< of the caller; may be empty

    friend bool operator==(const Record&, const Record&) = default;
};

/// The longest metadata.
inline constexpr std::size_t max_metadata = 1024;

/// No record is longer. A key of 4,096 bytes and metadata take at most three times as many, and the
/// rest is short.
inline constexpr std::size_t max_record = 20 * 1024;

/// Returns the text of the file. A producer that is too long is cut off, and a time that a record
/// cannot hold becomes the nearest one. Requires: bucket and key have passed encode_bucket and
/// encode_key, and the metadata is not longer than max_metadata, so that the text is not longer
/// than max_record.
[[nodiscard]] std::string print_record(const Record& record);
/// Returns nullopt unless `text` is a whole record. A record that was cut off at any length, or
/// that was changed in any byte, is none.
[[nodiscard]] std::optional<Record> parse_record(std::string_view text);

}  // namespace larder::format
