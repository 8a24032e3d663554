// SPDX-License-Identifier: MIT
// The locks of a cache. Each one is a byte of the file `locks`, which is empty: a byte that is not
// there can be locked. Activities in the lease tables name a lock by the number of its byte.
//
//   bits 61 and 60   the kind of the lock
//   bits 59 to 0     a hash of its names; 1 for the collector's lock, which has none
//
// The higher bits are zero, because off_t has a sign, and because the end of the byte's range must
// fit as well. No lock has the number 0, which means in an activity that it is not in use.
//
// The hash is the lowest 60 bits of the name-based UUID (RFC 9562, version 5, namespace OID) of the
// names. It is the same on every machine and in every version. Two keys may have one hash, by an
// accident of less than one in 10^12 among a thousand keys, or because a person has sought them.
// Then they exclude each other, and nothing else happens.
#pragma once

#include <cstdint>
#include <string_view>

namespace larder::format {

/// The byte of the collector's lock.
inline constexpr std::uint64_t collector_byte = 1;

/// Returns the byte of the lock under which one process builds the key. Both names are encoded.
[[nodiscard]] std::uint64_t build_byte(std::string_view encoded_bucket,
                                       std::string_view encoded_key);

/// The two locks of a bucket. They have one hash: so buckets that share a lock share the gate.
struct BucketBytes {
    std::uint64_t gate;
    std::uint64_t lock;
};
[[nodiscard]] BucketBytes bucket_bytes(std::string_view encoded_bucket);

}  // namespace larder::format
