// SPDX-License-Identifier: MIT
#include "format/lock_bytes.hpp"

#include <set>
#include <string>

#include "catch.hpp"

using namespace larder::format;

TEST_CASE("the byte of a lock is its kind, and the lowest 60 bits of a name-based UUID") {
    // These are the values of uuid.uuid5(uuid.NAMESPACE_OID, names) in Python. A program of another
    // version, or on another machine, must lock the same bytes.
    CHECK(collector_byte == 1);
    CHECK(build_byte("wheels-v1", "rich-13.9") == 0x17a5203a626283fc);
    CHECK(bucket_bytes("wheels-v1").gate == 0x2704caafa2d51f8f);
    CHECK(bucket_bytes("wheels-v1").lock == 0x3704caafa2d51f8f);
}

TEST_CASE("each lock has a byte of its own, which a lock of a file can have") {
    std::set<std::uint64_t> bytes{collector_byte};
    std::size_t locks = 1;
    for (int i = 0; i < 1000; ++i) {
        const std::string name = std::to_string(i);
        const auto bucket = bucket_bytes(name);
        // A key may be called like a bucket, and a bucket like a key.
        for (const auto byte :
             {bucket.gate, bucket.lock, build_byte("b", name), build_byte(name, "k")}) {
            REQUIRE(byte < std::uint64_t{1} << 62);
            bytes.insert(byte);
            ++locks;
        }
        REQUIRE((bucket.gate ^ bucket.lock) == std::uint64_t{1} << 60);  // they have one hash
    }
    CHECK(bytes.size() == locks);
    CHECK_FALSE(bytes.contains(0));  // in an activity, 0 means that it is not in use
}
