// SPDX-License-Identifier: MIT
// Any text is a key or the name of a bucket, on the file system on which the tests run.

#include <algorithm>
#include <set>

#include "catch.hpp"
#include "support/cache.hpp"
#include "support/worst_keys.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Publishes a file that holds the key itself.
void put_itself(const Bucket& bucket, const std::string& key) {
    Staging staging = value(bucket.stage());
    write_file(staging.path() / "key", key);
    value(bucket.publish(key, std::move(staging)));
}

void check_worst_keys(const OpenOptions& options) {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache", options);
    const Bucket bucket = value(cache.bucket("b"));
    const std::vector<std::string> keys = worst_keys();
    for (const std::string& key : keys) put_itself(bucket, key);
    for (const std::string& key : keys) {
        INFO(key);
        CHECK(read_file(value(bucket.get(key)).path() / "key") == key);
    }
    const auto listed = value(bucket.keys());
    CHECK(std::set(listed.begin(), listed.end()) == std::set(keys.begin(), keys.end()));
    CHECK(listed.size() == keys.size());
    CHECK(value(cache.verify()).findings.empty());
    // Each of them goes alone.
    for (const std::string& key : keys) {
        INFO(key);
        value(bucket.pin(key));
        value(bucket.unpin(key));
        value(bucket.remove(key));
        CHECK_FALSE(bucket.get(key));
    }
    CHECK(value(cache.collect()).entries == keys.size());
    CHECK(value(cache.verify()).findings.empty());
}

}  // namespace

TEST_CASE("the worst keys are kept apart and found again, with the system's own kinds") {
    check_worst_keys({});
}

TEST_CASE("the worst keys are kept apart and found again, with files and pointers") {
    OpenOptions options;
    options.link_kind = LinkKind::file;
    options.bucket_kind = BucketKind::pointer;
    check_worst_keys(options);
}

TEST_CASE("the worst keys that are short enough are names of buckets, too") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache", {});
    std::set<std::string> names;
    for (const std::string& name : worst_keys()) {
        if (name.empty() || name.size() > 40) continue;  // 40 bytes take at most 120 once encoded
        put_itself(value(cache.bucket(name)), name);
        names.insert(name);
    }
    for (const std::string& name : names) {
        INFO(name);
        CHECK(read_file(value(value(cache.bucket(name)).get(name)).path() / "key") == name);
    }
    const auto listed = value(cache.buckets());
    CHECK(std::set(listed.begin(), listed.end()) == names);
    for (const std::string& name : names) value(value(cache.bucket(name)).refresh());
    CHECK(value(cache.collect()).entries == names.size());
    CHECK(value(cache.verify()).findings.empty());
}

TEST_CASE("a new cache has the kinds that the system's own files allow") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache", {});
#ifdef _WIN32
    CHECK(cache.link_kind() == LinkKind::file);
    CHECK(cache.bucket_kind() == BucketKind::pointer);
#else
    CHECK(cache.link_kind() == LinkKind::symlink);
    CHECK(cache.bucket_kind() == BucketKind::directory);
#endif
}
