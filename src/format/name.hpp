// SPDX-License-Identifier: MIT
// Keys and bucket names, which come from outside and are hostile, as file names that are safe everywhere.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <larder/error.hpp>

namespace larder::format {

// The encoding of a string:
//   a–z 0–9 - _ +       as they are
//   .                   as it is, but not first or last: no hidden names, no "..", nothing that Windows trims
//   any other byte      %xx, with lower-case digits: names never differ in case or Unicode normalization alone
//   the empty string    %
//   where that is longer than max_name bytes:
//                       its first bytes, then %~ and a hash of the whole string (26 characters)

/// File systems take 255 bytes; 200 leaves room for prefixes such as "bucket." and for what eCryptfs adds.
inline constexpr std::size_t max_name = 200;
inline constexpr std::size_t max_key = 4096;  ///< arbitrary: as long as a path on Linux
inline constexpr std::size_t max_bucket_name =
    128;  ///< arbitrary, encoded: names are given by programmers

/// Errors: `invalid` for what is not UTF-8 or too long.
[[nodiscard]] Result<std::string> encode_key(std::string_view key);
[[nodiscard]] Result<std::string> encode_bucket(std::string_view name);

/// "<bucket>/<key>", to be used from a handle of `buckets/`: a handle of the bucket itself would, after a refresh, serve
/// what was purged.
[[nodiscard]] std::string key_path(std::string_view encoded_bucket, std::string_view encoded_key);
[[nodiscard]] Result<std::string> encode_key_path(std::string_view encoded_bucket,
                                                  std::string_view key);

/// What was encoded, whichever it was; nothing for a name that encode_key can't have made. For a name with a hash, whose key only the
/// record of its entry has: see is_hashed.
[[nodiscard]] std::optional<std::string> decode_name(std::string_view name);

/// Whether `name` holds a hash in place of the key's end. Two keys may then, in theory, have one name, so that a reader must
/// compare the key with the one in the entry's record.
[[nodiscard]] bool is_hashed(std::string_view name) noexcept;

/// The escapes alone, of any bytes, of any length: for the fields of a record.
[[nodiscard]] std::string encode_escapes(std::string_view bytes);
[[nodiscard]] std::optional<std::string> decode_escapes(std::string_view text);

/// A number for a key of a bucket, the same in every process and version: the first bits of a SHA-1 of both.
[[nodiscard]] std::uint64_t digest(std::string_view encoded_bucket, std::string_view key);

}  // namespace larder::format
