// SPDX-License-Identifier: MIT
// Keys and bucket names from outside, as bad as they can be. Each valid one works like any other,
// all together in one bucket. Each invalid one is refused with a reason. Nothing is ever written
// outside the cache.

#include <algorithm>
#include <set>

#include "format/link.hpp"
#include "format/name.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

const std::vector<std::string> hostile_keys = {
    "",
    ".",
    "..",
    "...",
    "../..",
    "../../../etc/passwd",
    "/",
    "/etc",
    "a/b",
    "a//b",
    "a/",
    "a",
    "A",
    "a.",
    "a..",
    ".a",
    "a ",
    " a",
    " ",
    "%",
    "%%",
    "%2e%2e",
    "%00",
    "~",
    "%~",
    "con",
    "CON",
    "nul.txt",
    "a:b",
    "a\\b",
    "*?<>|\"",
    "-rf",
    "$(id)",
    "\n",
    "a\nb",
    "\r\n",
    "\t",
    "\x7f",
    std::string(1, '\0'),
    std::string("a\0b", 3),
    std::string("a\0", 2),
    "\xc3\xa9",      // é in one character (NFC)
    "e\xcc\x81",     // the same in two (NFD)
    "\xc3\x89",      // its capital
    "\xef\xbb\xbf",  // a byte order mark
    "\xe2\x80\xae"
    "gpj.exe",
    "\xf0\x9f\xa6\x80",
    "\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x94\xac",
    std::string(200, 'k'),
    std::string(201, 'k'),
    std::string(255, 'k'),
    std::string(4096, 'k'),
    std::string(4095, 'k') + "l",
    std::string(4096, '/'),
    std::string(200, 'p') + "-one",  // two that differ only after what a file name can hold
    std::string(200, 'p') + "-two",
};

const std::vector<std::string> invalid_keys = {
    std::string(4097, 'k'),
    std::string(1 << 20, 'k'),
    "\x80",
    "a\xff",
    "\xfe",
    "\xc0\x80",
    "\xc0\xae\xc0\xae",
    "\xe0\x80\xaf",
    "\xf0\x80\x80\xaf",
    "\xed\xa0\x80",
    "\xf4\x90\x80\x80",
    "\xc3",
    "\xe2\x82",
    "\xf0\x9f\xa6",
    "\xc3(",
};

/// A cache that is alone in a directory, which is alone in a directory.
struct Place {
    TempDir dir;
    fs::path root = dir.path() / "parent" / "cache";
    Cache cache = open_cache(root);

    /// Returns what is beside the cache.
    [[nodiscard]] std::set<std::string> beside() const {
        std::set<std::string> names;
        for (const auto& entry : fs::recursive_directory_iterator(dir.path())) {
            const std::string name = entry.path().lexically_relative(dir.path()).string();
            if (!name.starts_with("parent/cache/")) names.insert(name);
        }
        return names;
    }
    const std::set<std::string> only = {"parent", "parent/cache"};
};

template <class T>
void require_invalid(const Result<T>& result) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::invalid);
    const std::string message = result.error().message();
    INFO(message);
    CHECK(message.size() > 10);
    CHECK(message.size() < 500);
    CHECK(std::all_of(message.begin(), message.end(),
                      [](unsigned char c) { return c >= ' ' && c != 0x7f; }));
}

}  // namespace

TEST_CASE("hostile keys live side by side in one bucket") {
    const Place place;
    const Bucket bucket = value(place.cache.bucket("b"));
    std::set<std::string> ids;
    for (const auto& key : hostile_keys) ids.insert(put(bucket, key, "content of " + key).id());
    CHECK(ids.size() == hostile_keys.size());
    CHECK(count_entries(keys_of(place.root / "buckets" / "b")) == hostile_keys.size());
    CHECK(count_entries(place.root / "archive") == hostile_keys.size());

    for (const auto& key : hostile_keys) {
        INFO(format::encode_escapes(key));
        CHECK(content_of(bucket, key) == "content of " + key);
        const auto info = bucket.info(key);
        REQUIRE(info);
        CHECK(info->key == key);
        CHECK(info->bucket == "b");
        CHECK(ids.count(info->id) == 1);
    }
    auto keys = value(bucket.keys());
    CHECK(std::set<std::string>(keys.begin(), keys.end()) ==
          std::set<std::string>(hostile_keys.begin(), hostile_keys.end()));
    CHECK(keys.size() == hostile_keys.size());
    const auto report = value(place.cache.verify());
    CHECK(report.findings.empty());
    CHECK(report.live == hostile_keys.size());
    CHECK(place.beside() == place.only);
}

TEST_CASE("a hostile key can be replaced and removed, and no other key is touched") {
    const Place place;
    const Bucket bucket = value(place.cache.bucket("b"));
    for (const auto& key : hostile_keys) put(bucket, key, "old");
    for (const auto& key : hostile_keys) put(bucket, key, "new " + key);
    std::size_t left = hostile_keys.size();
    for (const auto& key : hostile_keys) {
        INFO(format::encode_escapes(key));
        CHECK(content_of(bucket, key) == "new " + key);
        REQUIRE(bucket.remove(key));
        CHECK(count_entries(keys_of(place.root / "buckets" / "b")) == --left);
        CHECK(content_of(bucket, key).empty());
        const auto again = bucket.remove(key);
        REQUIRE_FALSE(again);
        CHECK(again.error().code == Errc::miss);
        const auto info = bucket.info(key);
        REQUIRE_FALSE(info);
        CHECK(info.error().code == Errc::miss);
    }
    CHECK(value(bucket.keys()).empty());
    REQUIRE_NOTHROW(require_no_leak(place.root, 0));
    CHECK(place.beside() == place.only);
}

TEST_CASE("a hostile key can be built, and its entry has that key") {
    const Place place;
    const Bucket bucket = value(place.cache.bucket("b"));
    for (const auto& key : hostile_keys) {
        const auto lease = bucket.get_or_build(key, [&](Staging& staging) -> Result<> {
            fill(staging.path(), "built " + key);
            return {};
        });
        REQUIRE(lease);
        CHECK(content_of(*lease) == "built " + key);
    }
    CHECK(value(bucket.keys()).size() == hostile_keys.size());
    CHECK(place.beside() == place.only);
}

TEST_CASE("every call refuses an invalid key, and leaves nothing") {
    const Place place;
    const Bucket bucket = value(place.cache.bucket("b"));
    put(bucket, "k", "kept");
    const auto before = snapshot(place.root / "buckets");
    for (const auto& key : invalid_keys) {
        INFO(format::encode_escapes(key.substr(0, 60)));
        require_invalid(bucket.get(key));
        require_invalid(bucket.info(key));
        require_invalid(bucket.remove(key));
        require_invalid(bucket.publish(key, value(bucket.stage())));
        bool built = false;
        require_invalid(bucket.get_or_build(key, [&](Staging&) -> Result<> {
            built = true;
            return {};
        }));
        CHECK_FALSE(built);
    }
    CHECK(snapshot(place.root / "buckets") == before);
    REQUIRE_NOTHROW(require_no_leak(place.root, 1));
    CHECK(place.beside() == place.only);
}

TEST_CASE("hostile bucket names name buckets like any other") {
    const Place place;
    std::set<std::string> valid;
    for (const auto& name : hostile_keys) {
        if (name.empty() || format::encode_escapes(name).size() > format::max_bucket_name) {
            require_invalid(place.cache.bucket(name));
        } else {
            valid.insert(name);
        }
    }
    for (const auto& name : invalid_keys) require_invalid(place.cache.bucket(name));
    REQUIRE(valid.size() > 40);
    for (const auto& name : valid) {
        const Bucket bucket = value(place.cache.bucket(name));
        CHECK(bucket.name() == name);
        put(bucket, "..", "in " + name);
    }
    const auto listed = value(place.cache.buckets());
    CHECK(std::set<std::string>(listed.begin(), listed.end()) == valid);
    std::size_t left = valid.size();
    for (const auto& name : valid) {
        INFO(format::encode_escapes(name));
        const Bucket bucket = value(place.cache.bucket(name));
        CHECK(content_of(bucket, "..") == "in " + name);
        CHECK(value(bucket.info("..")).bucket == name);
        REQUIRE(bucket.refresh());
        CHECK(content_of(bucket, "..").empty());
        CHECK(value(place.cache.buckets()).size() == --left);
    }
    CHECK(value(place.cache.verify()).sound());
    REQUIRE_NOTHROW(require_no_leak(place.root, 0));
    CHECK(place.beside() == place.only);
}

TEST_CASE("of two long keys with one hashed name, neither yields what was put under the other") {
    const Place place;
    const Bucket bucket = value(place.cache.bucket("b"));
    const std::string stored = std::string(300, 'k') + "-stored",
                      asked = std::string(300, 'k') + "-asked";
    const std::string id = put(bucket, stored, "stored").id();
    // A collision of the hash is made by hand: the name of one key leads to the entry of the other.
    const fs::path names = keys_of(place.root / "buckets" / "b");
    fs::rename(names / value(format::encode_key(stored)), names / value(format::encode_key(asked)));

    const auto lease = bucket.get(asked);
    REQUIRE_FALSE(lease);
    CHECK(lease.error().code == Errc::miss);
    const auto info = bucket.info(asked);
    REQUIRE_FALSE(info);
    CHECK(info.error().code == Errc::miss);

    const auto report = value(place.cache.verify());
    REQUIRE(report.findings.size() == 1);
    CHECK(report.findings[0].kind == Finding::Kind::misnamed);
    CHECK_FALSE(report.sound());

    // A put takes over the name. Then the other key is the one that is missing.
    put(bucket, asked, "asked");
    CHECK(content_of(bucket, asked) == "asked");
    CHECK(content_of(bucket, stored).empty());
    REQUIRE_NOTHROW(require_no_leak(place.root, 1));
}

TEST_CASE("a build under a colliding name builds") {
    const Place place;
    const Bucket bucket = value(place.cache.bucket("b"));
    const std::string stored = std::string(300, 'k') + "-stored",
                      asked = std::string(300, 'k') + "-asked";
    put(bucket, stored, "stored");
    const fs::path names = keys_of(place.root / "buckets" / "b");
    fs::rename(names / value(format::encode_key(stored)), names / value(format::encode_key(asked)));
    const auto lease = bucket.get_or_build(asked, [](Staging& staging) -> Result<> {
        fill(staging.path(), "built");
        return {};
    });
    REQUIRE(lease);
    CHECK(content_of(*lease) == "built");
}

TEST_CASE("a build in a root that was replaced by one with shorter names uses its names") {
    const Place place;
    const Bucket bucket = value(place.cache.bucket("b"));
    fs::remove_all(place.root);
    os::set_point_hook(
        [](const char* name) { return name == std::string("os.longest-name") ? 143 : 0; });
    const Cache replacement = open_cache(place.root);
    os::set_point_hook({});
    const std::string key(180, 'k');
    REQUIRE(bucket.get_or_build(key, [](Staging& staging) -> Result<> {
        fill(staging.path(), "built");
        return {};
    }));
    CHECK(content_of(value(replacement.bucket("b")), key) == "built");
    CHECK(value(replacement.verify()).findings.empty());
}

TEST_CASE("names end at 143 bytes: keys of any length are put, got, listed, pinned and collected") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    os::set_point_hook(
        [](const char* name) { return name == std::string("os.longest-name") ? 143 : 0; });
    (void)open_cache(root);
    os::set_point_hook({});
    CHECK(contains(read_file(root / "format"), "\nnames 143\n"));
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    for (const std::size_t length : {1, 143, 144, 200, 201, 4096}) {
        const std::string key(length, 'k');
        put(bucket, key, "of " + std::to_string(length));
        REQUIRE(bucket.pin(key));
    }
    for (const auto& each : fs::recursive_directory_iterator(root))
        CHECK(each.path().filename().string().size() <= 143);
    for (const std::size_t length : {1, 143, 144, 200, 201, 4096}) {
        const std::string key(length, 'k');
        CHECK(content_of(bucket, key) == "of " + std::to_string(length));
        CHECK(value(bucket.is_pinned(key)));
    }
    CHECK(value(bucket.keys()).size() == 6);
    CHECK(value(cache.verify()).findings.empty());
    REQUIRE(bucket.remove(std::string(4096, 'k')));
    CHECK(value(cache.collect()).entries == 1);
    for (const std::size_t length : {1, 143, 144, 200, 201})
        REQUIRE(bucket.unpin(std::string(length, 'k')));
    CHECK(value(cache.collect(Limits{.max_entries = 0})).evicted == 5);
    CHECK(value(cache.verify()).findings.empty());
}
