// SPDX-License-Identifier: MIT
// Encodes keys and bucket names as file names. Both come from outside and may be hostile; the file
// names are safe on every file system.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <larder/error.hpp>

#include "format/id.hpp"

namespace larder::format {

// The encoding of a string:
//   a–z 0–9 - _ +       stay as they are.
//   .                   stays, except as the first or last character. So there is no hidden name,
//                       no "..", and nothing that Windows would trim.
//   any other byte      becomes %xx, with lower-case digits. So no two names differ only in case or
//                       in Unicode normalization.
//   the empty string    becomes %.
//
// If the result of a key is longer than the cache's longest name, its first bytes are kept,
// followed by %~ and a hash of the whole string (26 characters). The longest name is max_name, or
// what the file system takes if that is less. It is chosen when a cache is made: see
// format_file.hpp.

/// File systems take 255 bytes. 200 leaves room for prefixes such as "bucket." and for the bytes
/// that eCryptfs adds.
inline constexpr std::size_t max_name = 200;
/// A file system whose names must be shorter can't hold a cache. Arbitrary: twice the hash and
/// more.
inline constexpr std::size_t min_longest_name = 64;
/// Arbitrary: as long as a path on Linux.
inline constexpr std::size_t max_key = 4096;
/// Counted after the encoding. Arbitrary, because programmers choose the names.
inline constexpr std::size_t max_bucket_name = 128;

/// Returns the file name for a key. The same key has the same name in every process that uses the
/// cache, and two keys share a name only if their hashes are equal. Errors: `invalid` if the key is
/// not UTF-8, or longer than max_key. Requires: `longest_name` is the one of the cache, at least
/// min_longest_name.
[[nodiscard]] Result<std::string> encode_key(std::string_view key,
                                             std::size_t longest_name = max_name);
/// Returns the file name for a bucket, which never holds a hash. Errors: `invalid` if the name is
/// empty, not UTF-8, or longer than max_bucket_name once it is encoded.
[[nodiscard]] Result<std::string> encode_bucket(std::string_view name);

/// Returns "<bucket>/<key>". Use it with the handle of `buckets/`: a handle of the bucket itself
/// would still serve the purged entries after a refresh.
[[nodiscard]] std::string key_path(std::string_view encoded_bucket, std::string_view encoded_key);
/// Returns the path of a key's link from `buckets/`. Errors: those of encode_key.
[[nodiscard]] Result<std::string> encode_key_path(std::string_view encoded_bucket,
                                                  std::string_view key,
                                                  std::size_t longest_name = max_name);

/// Returns the key or the bucket's name that was encoded as `name`. Returns nullopt if neither
/// encode_key nor encode_bucket can have made `name`, and if `name` holds a hash: then only the
/// record of the entry has the key. See is_hashed.
[[nodiscard]] std::optional<std::string> decode_name(std::string_view name);

/// Returns true if `name` holds a hash in place of the key's end. In theory two keys can then have
/// the same name, so a reader must compare the key with the one in the entry's record.
[[nodiscard]] bool is_hashed(std::string_view name);

/// Returns a hash of these bytes, which is written like an id: the name-based UUID of RFC 4122,
/// version 5, 122 bits of a SHA-1. It does not resist an attacker who seeks collisions, and need
/// not: it only makes a shorter name, and a reader compares what the name stands for.
[[nodiscard]] Id hash_of(std::string_view bytes);

/// Encodes bytes of any length, without the hash that a long key's name ends with: each byte that
/// is not plain becomes `%` and two hexadecimal digits, and the empty text becomes `%`. The fields
/// of a record are encoded in this way.
[[nodiscard]] std::string encode_escapes(std::string_view bytes);
/// Decodes such a text. Returns nullopt unless encode_escapes would give exactly this text.
[[nodiscard]] std::optional<std::string> decode_escapes(std::string_view text);

}  // namespace larder::format
