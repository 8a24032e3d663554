// SPDX-License-Identifier: MIT
// Parts: a collection takes what is retired, and what a limit evicts, in parts that fit into
// memory. The parts together do what one part would do.

#include <fcntl.h>
#include <sys/stat.h>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

using Keys = std::vector<std::string>;

/// Sets the last use of a key to so many days before now.
void use_days_ago(const Scene& scene, const std::string& key, unsigned days) {
    const auto then = (std::chrono::system_clock::now() - 24h * days).time_since_epoch();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(then);
    const timespec times[2] = {{0, UTIME_OMIT},
                               {seconds.count(), std::chrono::nanoseconds(then - seconds).count()}};
    const auto link = keys_of(scene.root / "buckets" / "b") / key;
    REQUIRE(::utimensat(AT_FDCWD, link.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

std::string key_of(unsigned number) { return "key-" + std::to_string(number); }

/// Returns the ids that a collection would evict, in order.
Keys would_evict(const Scene& scene, const Limits& limits) {
    Keys ids;
    CollectOptions options;
    options.dry_run = true;
    options.on_evict = [&](const Eviction& eviction) { ids.push_back(eviction.id); };
    (void)value(scene.cache.collect(limits, options));
    return ids;
}

/// What a collection reports of that which stays, and of that which goes.
std::string told(const CollectReport& report) {
    return std::to_string(report.entries) + " deleted, " + std::to_string(report.leased.size()) +
           " leased, " + std::to_string(report.in_grace) + " in grace, " +
           std::to_string(report.unknown.size()) + " unknown";
}

}  // namespace

TEST_CASE("a plan in parts takes what a whole plan takes, in the same order") {
    const Scene scene;
    constexpr unsigned entries = 12;
    for (unsigned i = 0; i < entries; ++i) {
        put(scene.bucket, key_of(i), std::string(100, 'x'));
        use_days_ago(scene, key_of(i), 20 - i / 3);  // some are used in one second
    }
    const Lease leased = value(scene.bucket.get(key_of(1)));
    use_days_ago(scene, key_of(1), 30);
    value(scene.bucket.pin(key_of(2)));
    fs::remove(scene.root / "archive" / value(scene.bucket.info(key_of(3))).id / "record");
    for (const Limits& limits :
         {Limits{.max_entries = 0}, Limits{.max_entries = 7, .low_water = 70},
          Limits{.max_size = 900, .low_water = 100}, Limits{.max_age = 24h * 18 + 12h},
          Limits{.max_age = 24h * 19 + 12h, .max_entries = 11, .low_water = 50}}) {
        const Keys whole = would_evict(scene, limits);
        CHECK(whole.size() > 1);
        for (int part = 1; part <= 4; ++part) {
            INFO("parts of " << part);
            const FailingHere in_parts({{"plan.part-size", part}});
            CHECK(would_evict(scene, limits) == whole);
        }
    }
    const FailingHere in_parts({{"plan.part-size", 2}});
    const auto report = value(scene.cache.collect(Limits{.max_entries = 0}));
    CHECK(report.evicted == entries - 2);
    CHECK(report.spared.size() == 1);
    CHECK(report.live_entries == 2);
    CHECK_FALSE(report.within_limits);
}

TEST_CASE("an eviction puts off a bounded number of victims without a record") {
    for (const int most : {1, 2, 0}) {  // 0: the number that is built in
        INFO("at most " << most);
        const Scene scene;
        for (unsigned i = 0; i < 5; ++i) {
            put(scene.bucket, key_of(i), "x");
            use_days_ago(scene, key_of(i), 9 - i);
        }
        for (const unsigned i : {0, 1, 3})
            fs::remove(scene.root / "archive" / value(scene.bucket.info(key_of(i))).id / "record");
        Keys evicted;
        CollectOptions options;
        options.on_evict = [&](const Eviction& eviction) { evicted.push_back(eviction.key); };
        const FailingHere bounded({{"evict.part-size", most}});
        const auto report = value(scene.cache.collect(Limits{.max_entries = 0}, options));
        CHECK(report.evicted == 5);
        CHECK(report.used_since == 0);
        CHECK(report.live_entries == 0);
        // Those that are put off come when their number is reached, and the rest at the end.
        if (most == 1)
            CHECK(evicted == Keys{key_of(0), key_of(1), key_of(2), key_of(3), key_of(4)});
        if (most == 2) CHECK(evicted.back() == key_of(3));
        if (most == 0) CHECK(evicted[0] == key_of(2));
    }
}

TEST_CASE("a request to stop ends the search for victims without a record") {
    const Scene scene;
    for (unsigned i = 0; i < 3; ++i) {
        put(scene.bucket, key_of(i), "x");
        fs::remove(scene.root / "archive" / value(scene.bucket.info(key_of(i))).id / "record");
    }
    std::stop_source enough;
    CollectOptions options;
    options.stop = enough.get_token();
    options.on_evict = [&](const Eviction&) { enough.request_stop(); };
    const auto report = value(scene.cache.collect(Limits{.max_entries = 0}, options));
    CHECK(report.stopped);
    CHECK(report.evicted == 1);
    CHECK(value(scene.bucket.keys()).size() == 2);
}

TEST_CASE("a later part of a plan leaves out what was used since the plan began") {
    const Scene scene;
    for (unsigned i = 0; i < 3; ++i) {
        put(scene.bucket, key_of(i), "x");
        use_days_ago(scene, key_of(i), 3 - i);
    }
    Child collector([&](Child& child) {
        fail_at(child, {{"plan.part-size", 1}}, {{"evict.planned"}, {}});
        const auto report = value(open_cache(scene.root).collect({.max_entries = 0}));
        child.say("evicted " + std::to_string(report.evicted));
    });
    collector.wait_for("evict.planned");
    put(scene.bucket, "new", "x");
    // The system's own stamps may be some milliseconds late.
    for (const auto& key : {key_of(1), std::string("new")}) use_days_ago(scene, key, 0);
    go_on_until(collector, "evicted 2");
    CHECK(collector.join() == 0);
    auto keys = value(scene.bucket.keys());
    std::sort(keys.begin(), keys.end());
    CHECK(keys == Keys{key_of(1), "new"});
}

TEST_CASE("a collection in parts deletes what a whole one deletes, and counts the rest once") {
    for (const int part : {0, 1, 2, 3}) {
        INFO("parts of " << part);
        const Scene scene;
        for (unsigned i = 0; i < 7; ++i) put(scene.bucket, key_of(i), "x");
        const Lease leased = value(scene.bucket.get(key_of(3)));
        const Lease also = value(scene.bucket.get(key_of(4)));
        value(scene.bucket.refresh());
        write_file(scene.root / "retired" / "links" / "not ours", "");
        const FailingHere in_parts({{"collect.part-size", part}});
        CHECK(told(value(scene.cache.collect({}, {.dry_run = true}))) ==
              "5 deleted, 2 leased, 0 in grace, 1 unknown");
        CHECK(told(value(scene.cache.collect())) == "5 deleted, 2 leased, 0 in grace, 1 unknown");
        CHECK(count_entries(scene.root / "archive") == 2);
        put(scene.bucket, "k", "x");
        value(scene.bucket.remove("k"));
        CHECK(told(value(scene.cache.collect({}, {.grace = 1h}))) ==
              "0 deleted, 0 leased, 3 in grace, 1 unknown");
    }
}
