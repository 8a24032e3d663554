// SPDX-License-Identifier: MIT
#include "format/lock_bytes.hpp"

#include <boost/uuid/name_generator_sha1.hpp>
#include <boost/uuid/uuid.hpp>
#include <string>

#include "os/points.hpp"

namespace larder::format {

namespace {

/// The kind of a lock, which each number of a byte begins with. So a byte of one kind is never one
/// of another kind: a builder holds its byte while its publish takes the bucket's.
enum class LockKind : std::uint64_t { build = 1, gate = 2, bucket = 3 };

constexpr int hash_bits = 60;

/// Returns the number of a byte.
std::uint64_t byte_of(LockKind kind, std::uint64_t hash) {
    return static_cast<std::uint64_t>(kind) << hash_bits | hash;
}

/// Returns the hash of names. The last 8 bytes of a UUID hold two bits that say its variant, and
/// these are the highest ones, which are left out.
std::uint64_t lock_hash_of(std::string_view names) {
    const boost::uuids::name_generator_sha1 generate(boost::uuids::ns::oid());
    const auto uuid = generate(names.data(), names.size());
    std::uint64_t hash = 0;
    for (auto byte = uuid.end() - 8; byte != uuid.end(); ++byte) hash = hash << 8 | *byte;
    hash &= (std::uint64_t{1} << hash_bits) - 1;
    const int hashes = os::point("lock.hash");
    return hashes > 0 ? hash % static_cast<std::uint64_t>(hashes) : hash;
}

}  // namespace

std::uint64_t build_byte(std::string_view encoded_bucket, std::string_view encoded_key) {
    return byte_of(LockKind::build,
                   lock_hash_of(std::string(encoded_bucket).append("/").append(encoded_key)));
}

BucketBytes bucket_bytes(std::string_view encoded_bucket) {
    const std::uint64_t hash = lock_hash_of(encoded_bucket);
    return {byte_of(LockKind::gate, hash), byte_of(LockKind::bucket, hash)};
}

}  // namespace larder::format
