// SPDX-License-Identifier: MIT
// Uses: a get writes its use into the ring of its process, and makes no system call for it. A
// process that needs the time of a use finds it, in the ring or in the time of the link.

#include <fcntl.h>
#include <sys/stat.h>

#include <optional>
#include <set>
#include <thread>

#include "cache/use_ring.hpp"
#include "catch.hpp"
#include "format/lease_table.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

fs::path link_of(const Scene& scene, const std::string& key) {
    return keys_of(scene.root / "buckets" / "b") / key;
}

/// Puts keys in a process that ends, each with a time of use that many days ago.
void put_days_ago(const Scene& scene, const std::vector<std::pair<std::string, int>>& keys) {
    Child putter([&](Child&) {
        const Bucket bucket = open_bucket(scene.root);
        for (const auto& [key, days] : keys) {
            put(bucket, key, "x");
            const timespec times[2] = {{0, UTIME_OMIT}, {::time(nullptr) - days * 24 * 3600, 0}};
            Child::must(
                ::utimensat(AT_FDCWD, link_of(scene, key).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0,
                "utimensat");
        }
    });
    REQUIRE(putter.join() == 0);
}

/// Returns whether the time of the link, and not a ring, says that the key was used lately.
bool is_settled(const Scene& scene, const std::string& key) {
    struct stat status {};
    REQUIRE(::lstat(link_of(scene, key).c_str(), &status) == 0);
    return status.st_mtime > ::time(nullptr) - 12 * 3600;
}

bool seems_used(const Scene& scene, const std::string& key) {
    return *value(scene.bucket.info(key)).last_used > std::chrono::system_clock::now() - 12h;
}

/// Returns whether a child has a ring of uses. Where it has none, the test is skipped.
bool has_rings(const Scene& scene) {
    if (may_map_tables(scene.root)) return true;
    WARN("SKIPPED: lease tables are written on this file system, so there are no rings");
    return false;
}

/// A process that gets one key after the other, each time that the test says so, and releases the
/// lease at once.
class User {
public:
    User(const Scene& scene, std::vector<std::string> keys)
        : left_(keys.size()), child_([&scene, keys](Child& child) {
              // Without a hook, the environment of the test may say that tables are written.
              os::set_point_hook([](const char*) { return 0; });
              const Bucket bucket = open_bucket(scene.root);
              for (const auto& key : keys) {
                  child.hear();
                  const std::string got = outcome(bucket.get(key));  // the lease ends here
                  child.say(got);
              }
              child.hear();
          }) {}
    void get_next() {
        REQUIRE(left_-- > 0);
        child_.go_on();
        child_.wait_for("ok");
    }
    /// Lets the process close the cache and end.
    void end() {
        REQUIRE(left_ == 0);
        child_.go_on();
        REQUIRE(child_.join() == 0);
    }
    void kill() { child_.kill(); }

private:
    std::size_t left_;
    Child child_;
};

/// A collection by another process that keeps at most `most` entries, held at points.
class HeldCollection {
public:
    HeldCollection(const Scene& scene, std::uint64_t most, const std::vector<std::string>& points)
        : child_(
              [&scene, most](Child& child) {
                  CollectReport report = value(
                      open_cache(scene.root).collect({.max_entries = most, .low_water = 100}));
                  child.say("evicted " + std::to_string(report.evicted));
              },
              {points, {}}) {}
    /// Returns the name of the point, or what the collection says at its end.
    std::string listen() { return child_.listen(); }
    std::string go_on() {
        child_.go_on();
        return listen();
    }

private:
    Child child_;
};

/// Lets another process take over every table that no process has, which wipes their rings.
void adopt_tables(const Scene& scene) {
    Child adopter([&](Child&) { (void)value(open_bucket(scene.root).stage()); });
    REQUIRE(adopter.join() == 0);
}

/// Returns the keys of the bucket, in order.
std::set<std::string> keys_of(const Scene& scene) {
    const auto keys = value(scene.bucket.keys());
    return {keys.begin(), keys.end()};
}

using Keys = std::set<std::string>;

}  // namespace

TEST_CASE("the number of a use counts for its own entry alone, until that use is settled") {
    // Two threads that get a key while it is replaced may leave the number of the one with the id
    // of the other, in what their process remembers of the key.
    const format::Id before{1, 1}, after{1, 2};
    format::RingBytes bytes{};
    cache::UseRing ring(bytes);
    const auto newer = ring.write(after, "b/k"), older = ring.write(before, "b/k");
    CHECK(ring.counts(newer, after));
    CHECK(ring.counts(older, before));
    CHECK_FALSE(ring.counts(older, after));
    bytes.settled = newer;  // by a collection, which has not seen the other one yet
    CHECK_FALSE(ring.counts(newer, after));
    CHECK_FALSE(ring.counts(older, after));
    CHECK(ring.counts(older, before));
}

TEST_CASE(
    "a use is in the ring until the process closes the cache, and every process sees it there") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 2}, {"other", 3}});
    User user(scene, {"k", "k"});
    user.get_next();
    CHECK_FALSE(is_settled(scene, "k"));
    CHECK(seems_used(scene, "k"));
    CHECK_FALSE(seems_used(scene, "other"));
    user.get_next();
    user.end();
    CHECK(is_settled(scene, "k"));
    CHECK_FALSE(is_settled(scene, "other"));
}

TEST_CASE("the uses of a process that was killed are settled by the next one that has its table") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 2}});
    User user(scene, {"k"});
    user.get_next();
    user.kill();
    CHECK(seems_used(scene, "k"));
    SECTION("an adopter") { adopt_tables(scene); }
    SECTION("a collection") { (void)value(scene.cache.collect()); }
    CHECK(is_settled(scene, "k"));
    require_no_leak(scene.root, 1);
}

TEST_CASE("a plan counts what is in a ring as used, and settles it") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"used", 9}, {"old", 8}, {"older", 10}});
    User user(scene, {"used"});
    user.get_next();
    SECTION("also in a dry run, which settles nothing") {
        Keys evicted;
        CollectOptions options{.dry_run = true};
        options.on_evict = [&](const Eviction& eviction) { evicted.insert(eviction.key); };
        (void)value(scene.cache.collect({.max_entries = 1, .low_water = 100}, options));
        CHECK(evicted == Keys{"old", "older"});
        CHECK_FALSE(is_settled(scene, "used"));
    }
    SECTION("and the process writes the next use anew") {
        CHECK(value(scene.cache.collect({.max_entries = 2, .low_water = 100})).evicted == 1);
        CHECK(is_settled(scene, "used"));
        CHECK(keys_of(scene) == Keys{"used", "old"});
    }
    user.end();
}

TEST_CASE("a use that comes after the plan, and before the look, keeps the entry") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 9}});
    const bool used_before = GENERATE(false, true);
    const bool closes = GENERATE(false, true);
    INFO((used_before ? "used before the plan, too; " : "") << (closes ? "closed" : "open"));
    User user(scene, std::vector<std::string>(used_before ? 2 : 1, "k"));
    if (used_before) user.get_next();
    HeldCollection collection(scene, 0, {"evict.planned"});
    REQUIRE(collection.listen() == "evict.planned");
    user.get_next();
    if (closes) user.end();
    CHECK(collection.go_on() == "evicted 0");
    if (!closes) user.end();
    CHECK(keys_of(scene) == Keys{"k"});
    require_no_leak(scene.root, 1);
}

TEST_CASE("a look misses no use that is settled, and wiped, while it looks") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 9}});
    User user(scene, {"k"});
    HeldCollection collection(scene, 0, {"evict.planned", "evict.looked"});
    REQUIRE(collection.listen() == "evict.planned");
    user.get_next();
    // The look finds the use in the ring, and so never comes to the time of the link. If it began
    // with the time, it would have read the old one by now.
    std::string said = collection.go_on();
    user.end();
    adopt_tables(scene);
    if (said == "evict.looked") said = collection.go_on();
    CHECK(said == "evicted 0");
    CHECK(keys_of(scene) == Keys{"k"});
}

TEST_CASE("a process that takes over a table counts the uses in its ring on") {
    // If it began anew, its first use would have the number up to which the plan has read the ring.
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 9}, {"other", 1}});
    User before(scene, {"other"});
    before.get_next();
    HeldCollection collection(scene, 0, {"evict.planned"});
    REQUIRE(collection.listen() == "evict.planned");
    before.end();
    User after(scene, {"k"});  // takes that table: the collector has the only other one
    after.get_next();
    CHECK(collection.go_on() == "evicted 1");
    CHECK(keys_of(scene) == Keys{"k"});
    after.end();
}

TEST_CASE("a plan misses no use that is settled, and wiped, while the plan is made") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"used", 9}, {"old", 8}});
    User user(scene, {"used"});
    user.get_next();
    HeldCollection collection(scene, 1, {"plan.rings-read"});
    REQUIRE(collection.listen() == "plan.rings-read");
    user.end();
    adopt_tables(scene);
    CHECK(collection.go_on() == "evicted 1");
    CHECK(keys_of(scene) == Keys{"used"});
}

TEST_CASE("the oldest uses are settled when the ring is full") {
    const Scene scene;
    if (!has_rings(scene)) return;
    constexpr int count = 600;
    std::vector<std::pair<std::string, int>> keys;
    for (int i = 0; i < count; ++i) keys.emplace_back(std::to_string(i), 2);
    put_days_ago(scene, keys);
    const bool is_collecting = GENERATE(false, true);
    // While a collection is at work, the times are set although they may be recent.
    std::optional<HeldCollection> collection;
    if (is_collecting) {
        collection.emplace(scene, count, std::vector<std::string>{"plan.rings-read"});
        REQUIRE(collection->listen() == "plan.rings-read");
    }
    Child user([&](Child& child) {
        unsigned settled = 0;
        os::set_point_hook([&](const char* name) {
            settled += name == std::string("use.settled");
            return 0;
        });
        const Bucket bucket = open_bucket(scene.root);
        for (int i = 0; i < count; ++i) Child::must(bucket.get(std::to_string(i)));
        Child::must(settled >= count - format::uses_per_table, "not settled");
        Child::must(settled <= count - format::uses_per_table + 32, "too many settled");
        child.say("used");
        child.hear();
    });
    user.wait_for("used");
    for (int i = 0; i < count; ++i) {
        if (!seems_used(scene, std::to_string(i))) FAIL_CHECK(i << " is lost");
    }
    user.go_on();
    REQUIRE(user.join() == 0);
    if (collection) CHECK(collection->go_on() == "evicted 0");
    for (int i = 0; i < count; ++i) {
        if (!is_settled(scene, std::to_string(i))) FAIL_CHECK(i << " is not settled");
    }
}

TEST_CASE("many threads write more uses than a ring holds, and lose none") {
    const Scene scene;
    if (!has_rings(scene)) return;
    constexpr int threads = 4, count = 300;
    std::vector<std::pair<std::string, int>> keys;
    for (int i = 0; i < threads * count; ++i) keys.emplace_back(std::to_string(i), 2);
    put_days_ago(scene, keys);
    Child user([&](Child&) {
        os::set_point_hook([](const char*) { return 0; });
        const Bucket bucket = open_bucket(scene.root);
        std::vector<std::thread> running;
        for (int t = 0; t < threads; ++t) {
            running.emplace_back([&bucket, t] {
                for (int i = t * count; i < (t + 1) * count; ++i)
                    Child::must(bucket.get(std::to_string(i)));
            });
        }
        for (auto& thread : running) thread.join();
    });
    REQUIRE(user.join() == 0);
    for (int i = 0; i < threads * count; ++i) {
        if (!is_settled(scene, std::to_string(i))) FAIL_CHECK(i << " is not settled");
    }
}

TEST_CASE("a use of an entry that was replaced since is not one of the new entry") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 9}});
    User user(scene, {"k"});
    user.get_next();
    put_days_ago(scene, {{"k", 5}});
    user.end();
    CHECK_FALSE(is_settled(scene, "k"));
}

TEST_CASE("a use in the ring of a copied cache counts for nothing there") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 9}});
    User user(scene, {"k"});
    user.get_next();
    const fs::path copied = scene.dir.path() / "copied";
    REQUIRE(::system(("cp -a " + scene.root.string() + " " + copied.string()).c_str()) == 0);
    const Bucket there = open_bucket(copied);
    CHECK(*value(there.info("k")).last_used < std::chrono::system_clock::now() - 12h);
    Child adopter([&](Child&) { (void)value(open_bucket(copied).stage()); });
    REQUIRE(adopter.join() == 0);
    CHECK(*value(there.info("k")).last_used < std::chrono::system_clock::now() - 12h);
    user.end();
}

TEST_CASE("a program that this process becomes leaves its uses settled") {
    const Scene scene;
    if (!has_rings(scene)) return;
    put_days_ago(scene, {{"k", 9}});
    Child user([&](Child& child) {
        os::set_point_hook([](const char*) { return 0; });
        Lease lease = value(open_bucket(scene.root).get("k"));
        value(lease.keep_across_exec());
        child.say("kept");
        child.hear();
    });
    user.wait_for("kept");
    CHECK(is_settled(scene, "k"));
    user.go_on();
    CHECK(user.join() == 0);
}
