// SPDX-License-Identifier: MIT
// What a process remembers of its gets: a guess at an id, which saves a look at the link, and never decides.

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

/// In another process.
void elsewhere(const std::function<void()>& body) {
    Child child([&](Child&) { body(); });
    REQUIRE(child.join() == 0);
}

}  // namespace

TEST_CASE(
    "a key is remembered with its entry, for as long as was said, beside those of a whole "
    "installation") {
    cache::Recent recent;
    // Always the same marks, which fill the table evenly: of 500 that keys happen to have, five may share a set of four, and one be forgotten.
    std::vector<cache::Recent::Mark> marks;
    for (cache::Recent::Mark i = 1; i <= 500; ++i) marks.push_back(i * 0x9e3779b97f4a7c15U);
    const format::Id first{1, 2}, second{1, 3};
    for (const auto mark : marks) {
        CHECK_FALSE(recent.guess(mark));
        CHECK_FALSE(recent.is_settled(mark, first));
        recent.settle(mark, first, cache::use_interval);
    }
    for (const auto mark : marks) {
        CHECK(recent.is_settled(mark, first));
        CHECK_FALSE(recent.is_settled(mark, second));
        CHECK(recent.guess(mark) == first);
    }
    recent.settle(marks[7], second, 0min);
    CHECK_FALSE(recent.is_settled(marks[7], second));
    CHECK(recent.guess(marks[7]) == second);
    recent.forget(marks[7]);
    CHECK_FALSE(recent.guess(marks[7]));
    CHECK(recent.guess(marks[8]) == first);
}

TEST_CASE("what was got before and replaced since, by whomever, is not got again") {
    const Scene scene;
    const Bucket other = open_bucket(scene.root);
    put(other, "k", "one");
    CHECK(content_of(scene.bucket, "k") == "one");
    elsewhere([&] { put(open_bucket(scene.root), "k", "two"); });
    CHECK(content_of(scene.bucket, "k") == "two");
    (void)value(scene.cache.collect());
    elsewhere([&] {
        put(open_bucket(scene.root), "k", "three");
        (void)value(open_cache(scene.root).collect());  // what was guessed is not even there
    });
    CHECK(content_of(scene.bucket, "k") == "three");
}

TEST_CASE("what was got before and taken out since is a miss, every time, and can come again") {
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
    "a guess that is wrong holds up the deletion of what it names, while it stands in a slot, and "
    "nothing else") {
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
    getter.wait_for("get.stored");  // with the id of the first
    const auto report = value(scene.cache.collect());
    REQUIRE(report.leased.size() == 1);
    CHECK(report.leased[0].id == format::to_text(one));
    CHECK(report.entries == 0);
    getter.go_on();
    getter.wait_for("get.stored");  // with that of the second
    CHECK(value(scene.cache.collect()).entries == 1);
    getter.go_on();
    getter.wait_for("two");
    CHECK(getter.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("an entry that somebody deleted by hand is a miss, also where it was got before") {
    const Scene scene;
    const Lease lease = put(scene.bucket, "k", "one");
    (void)value(scene.bucket.get("k"));
    fs::remove_all(lease.path());
    CHECK(outcome(scene.bucket.get("k")) == "miss");
}
