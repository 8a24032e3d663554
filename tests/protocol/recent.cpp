// SPDX-License-Identifier: MIT
// What a process remembers of its gets: a guess at an id, which saves one read of the link and
// never decides.

#include "cache/recent.hpp"

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

format::Id id_of(const Bucket& bucket, const std::string& key) {
    return *format::parse_id(value(bucket.get(key)).id());
}

/// Runs `body` in another process.
void elsewhere(const std::function<void()>& body) {
    Child child([&](Child&) { body(); });
    REQUIRE(child.join() == 0);
}

}  // namespace

TEST_CASE(
    "a key is remembered with its entry for the time that was set, beside the keys of a whole "
    "installation") {
    cache::Recent recent;
    std::vector<std::string> paths;
    for (int i = 0; i < 500; ++i) paths.push_back("wheels-v1/package-" + std::to_string(i));
    const format::Id first{1, 2}, second{1, 3};
    for (const auto& path : paths) {
        CHECK_FALSE(recent.lookup(path).id);
        CHECK_FALSE(recent.lookup(path).settled);
        recent.settle(path, first, cache::use_interval);
    }
    // Five keys may share a set of four, and then one of them is forgotten.
    const auto is_known = [&](const std::string& path) {
        const auto known = recent.lookup(path);
        CHECK(known.settled == (known.id == first));
        return known.id == first;
    };
    CHECK(std::count_if(paths.begin(), paths.end(), is_known) >= 498);

    const std::string& path = paths.back();  // was settled last, and so is not forgotten
    recent.settle(path, second, 0min);
    CHECK(recent.lookup(path).id == second);
    CHECK_FALSE(recent.lookup(path).settled);
    recent.forget(path);
    CHECK_FALSE(recent.lookup(path).id);
    CHECK(recent.lookup(paths[0]).id == first);
}

TEST_CASE("a get of a key that was replaced since the last get yields the new entry") {
    const Scene scene;
    const Bucket other = open_bucket(scene.root);
    put(other, "k", "one");
    CHECK(content_of(scene.bucket, "k") == "one");
    elsewhere([&] { put(open_bucket(scene.root), "k", "two"); });
    CHECK(content_of(scene.bucket, "k") == "two");
    (void)value(scene.cache.collect());
    elsewhere([&] {
        put(open_bucket(scene.root), "k", "three");
        (void)value(open_cache(scene.root).collect());  // the guessed entry does not even exist
    });
    CHECK(content_of(scene.bucket, "k") == "three");
}

TEST_CASE(
    "a get of a key that was retired since the last get is a miss, until the key is put again") {
    const Scene scene;
    const auto take_out = GENERATE(0, 1, 2);
    put(scene.bucket, "k", "one");
    (void)value(scene.bucket.get("k"));
    elsewhere([&] {
        const Cache cache = open_cache(scene.root);
        if (take_out == 0) value(value(cache.bucket("b")).remove("k"));
        if (take_out == 1) value(value(cache.bucket("b")).refresh());
        if (take_out == 2) (void)value(cache.collect({.max_entries = 0}));
    });
    CHECK(outcome(scene.bucket.get("k")) == "miss");
    CHECK(outcome(scene.bucket.get("k")) == "miss");
    put(scene.bucket, "k", "two");
    CHECK(content_of(scene.bucket, "k") == "two");
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "a wrong guess delays the deletion of what it names while it is in a slot, and nothing else") {
    const Scene scene;
    put(scene.bucket, "k", "one");
    Child getter(
        [&](Child& child) {
            const Bucket bucket = open_bucket(scene.root);
            child.say(content_of(bucket, "k"));
            child.hear();
            child.say(content_of(bucket, "k"));
        },
        {{"get.stored"}, {}});
    getter.wait_for("get.stored");
    getter.go_on();
    getter.wait_for("one");
    const format::Id one = id_of(scene.bucket, "k");
    put(scene.bucket, "k", "two");
    getter.go_on();
    getter.wait_for("get.stored");  // with the first entry's id
    const auto report = value(scene.cache.collect());
    REQUIRE(report.leased.size() == 1);
    CHECK(report.leased[0].id == format::to_text(one));
    CHECK(report.entries == 0);
    getter.go_on();
    getter.wait_for("get.stored");  // with the second entry's id
    CHECK(value(scene.cache.collect()).entries == 1);
    getter.go_on();
    getter.wait_for("two");
    CHECK(getter.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("an entry that was deleted by hand is a miss, even if this process got it before") {
    const Scene scene;
    const Lease lease = put(scene.bucket, "k", "one");
    (void)value(scene.bucket.get("k"));
    fs::remove_all(lease.path());
    CHECK(outcome(scene.bucket.get("k")) == "miss");
}
