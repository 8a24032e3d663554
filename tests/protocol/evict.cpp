// SPDX-License-Identifier: MIT
// Evict: which entries a limit takes, which it spares, and what is checked again before each goes.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <set>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

using Reason = Eviction::Reason;

fs::path link_of(const Scene& scene, const std::string& key) {
    return keys_of(scene.root / "buckets" / "b") / key;
}

/// Sets the last use of a key to `ago` before now.
void use_ago(const Scene& scene, const std::string& key, std::chrono::seconds ago) {
    const auto then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - ago);
    const timespec times[2] = {{0, UTIME_OMIT}, {then, 0}};
    REQUIRE(::utimensat(AT_FDCWD, link_of(scene, key).c_str(), times, AT_SYMLINK_NOFOLLOW) == 0);
}

/// Runs a collection whose limit takes nothing. It settles the uses in the rings, so that the times
/// of the links tell all uses.
void settle_uses(const Scene& scene) {
    CHECK(value(scene.cache.collect({.max_entries = 1'000'000})).evicted == 0);
}

std::chrono::seconds last_use_of(const Scene& scene, const std::string& key) {
    const auto used = value(scene.bucket.info(key)).last_used;
    REQUIRE(used);
    return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now() -
                                                            *used);
}

/// Puts keys "0", "1" and so on. Each was last used a day after the one before it, and the last one
/// today. Each holds 300 bytes.
void put_old(const Scene& scene, unsigned count) {
    for (unsigned i = 0; i < count; ++i) {
        put(scene.bucket, std::to_string(i), std::string(100, 'x'));
        use_ago(scene, std::to_string(i), 24h * (count - 1 - i));
    }
}

std::vector<std::string> keys_of(const Bucket& bucket) {
    auto keys = value(bucket.keys());
    std::sort(keys.begin(), keys.end());
    return keys;
}

using Keys = std::vector<std::string>;

struct Done {
    CollectReport report;
    std::vector<Eviction> evictions;
    Keys keys;
};

Done collect(const Cache& cache, const Limits& limits, CollectOptions options = {}) {
    Done done;
    options.on_evict = [&](const Eviction& eviction) {
        done.evictions.push_back(eviction);
        done.keys.push_back(eviction.key);
    };
    done.report = value(cache.collect(limits, options));
    return done;
}

Done evict(const Cache& cache, const EvictionPlan& plan) {
    Done done;
    CollectOptions options;
    options.on_evict = [&](const Eviction& eviction) { done.keys.push_back(eviction.key); };
    done.report = value(cache.evict(plan, options));
    return done;
}

/// A collection by another process, held at a point.
class HeldCollector {
public:
    HeldCollector(const Scene& scene, const Limits& limits, const std::string& point)
        : child_(
              [&](Child& child) {
                  child.say("evicted " +
                            std::to_string(value(open_cache(scene.root).collect(limits)).evicted));
              },
              {{point}, {}}) {
        child_.wait_for(point);
    }
    std::string go_on() {
        child_.go_on();
        auto said = child_.listen();
        REQUIRE(child_.join() == 0);
        return said;
    }
    Child& child() { return child_; }

private:
    Child child_;
};

}  // namespace

TEST_CASE("the least recently used entries go until the limit's low water is reached") {
    const Scene scene;
    put_old(scene, 10);
    SECTION("entries") {
        const auto done = collect(scene.cache, {.max_entries = 8, .low_water = 75});
        CHECK(done.keys == Keys{"0", "1", "2", "3"});
        CHECK(done.evictions.front().reason == Reason::max_entries);
        CHECK(*done.report.live_entries == 6);
    }
    SECTION("bytes") {
        const auto done = collect(scene.cache, {.max_size = 2500, .low_water = 80});
        CHECK(done.keys == Keys{"0", "1", "2", "3"});
        CHECK(done.evictions.front().reason == Reason::max_size);
        CHECK(done.evictions.front().bytes == 300);
        CHECK(*done.report.live_bytes == 1800);
        CHECK(done.report.evicted_bytes == 1200);
    }
    SECTION("age, which has no low water") {
        const auto done = collect(scene.cache, {.max_age = 6 * 24h - 1h});
        CHECK(done.keys == Keys{"0", "1", "2", "3"});
        CHECK(done.evictions.front().reason == Reason::max_age);
        CHECK(*done.report.live_entries == 6);
    }
    SECTION("several limits: the strictest decides") {
        const auto done = collect(
            scene.cache,
            {.max_size = 10'000, .max_age = 8 * 24h - 1h, .max_entries = 7, .low_water = 85});
        CHECK(done.keys == Keys{"0", "1", "2", "3"});
        CHECK(done.evictions[0].reason == Reason::max_age);
        CHECK(done.evictions[1].reason == Reason::max_age);
        CHECK(done.evictions[2].reason == Reason::max_entries);
    }
    CHECK(keys_of(scene.bucket) == Keys{"4", "5", "6", "7", "8", "9"});
    require_no_leak(scene.root, 6);
}

TEST_CASE("a cache within its limits loses nothing, even between low water and limit") {
    const Scene scene;
    put_old(scene, 5);
    const auto done = collect(
        scene.cache,
        {.max_size = 1500, .max_age = 5 * 24h, .max_entries = 5, .min_free = 1, .low_water = 1});
    CHECK(done.keys.empty());
    CHECK(done.report.within_limits);
    CHECK(*done.report.live_entries == 5);
    CHECK(*done.report.live_bytes == 1500);
    require_no_leak(scene.root, 5);
}

TEST_CASE("a disk that is too full gets back what it lacks, and no entry more than that goes") {
    const Scene scene;
    put_old(scene, 4);
    struct statvfs disk {};
    REQUIRE(::statvfs(scene.root.c_str(), &disk) == 0);
    const auto all = std::uint64_t{disk.f_blocks} * disk.f_frsize;
    // More than any disk has: everything goes, and the report says that this is not enough.
    const auto done = collect(scene.cache, {.min_free = all * 2, .keep = {"b/3"}});
    CHECK(done.keys == Keys{"0", "1", "2"});
    CHECK(done.evictions.front().reason == Reason::min_free);
    CHECK_FALSE(done.report.within_limits);
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "a leased entry is spared, the report names its process, and the next entry goes in its "
    "place") {
    const Scene scene;
    put_old(scene, 4);
    Child user([&](Child& child) {
        const Lease lease = value(open_bucket(scene.root).get("0"));
        child.say("leased");
        child.hear();
        Child::must(content_of(lease) == std::string(100, 'x'), "the leased entry is whole");
    });
    user.wait_for("leased");
    settle_uses(scene);
    use_ago(scene, "0", 1000h);
    const auto done = collect(scene.cache, {.max_entries = 2, .low_water = 100});
    CHECK(done.keys == Keys{"1", "2"});
    REQUIRE(done.report.spared.size() == 1);
    CHECK(done.report.spared[0].key == "0");
    CHECK(done.report.spared[0].process.pid == user.pid());
    CHECK(keys_of(scene.bucket) == Keys{"0", "3"});
    user.go_on();
    CHECK(user.join() == 0);
    require_no_leak(scene.root, 2);
}

TEST_CASE("if only leased entries are left, the limit is not kept, and the report says so") {
    const Scene scene;
    put_old(scene, 2);
    const Lease first = value(scene.bucket.get("0")), second = value(scene.bucket.get("1"));
    const auto done = collect(scene.cache, {.max_entries = 1});
    CHECK(done.keys.empty());
    CHECK(done.report.spared.size() == 2);
    CHECK_FALSE(done.report.within_limits);
}

TEST_CASE("pins are listed, also of keys and buckets that are not there") {
    const Scene scene;
    CHECK(value(scene.cache.pins()).empty());
    const std::string long_key(1000, 'k');
    put(scene.bucket, long_key, "1");
    put(scene.bucket, "not pinned", "1");
    const Bucket other = value(scene.cache.bucket("other: 1"));
    value(scene.bucket.pin(long_key));
    value(scene.bucket.pin("later"));
    value(other.pin("later"));
    const auto listed = [&] {
        std::set<std::pair<std::string, std::string>> found;
        for (const auto& pin : value(scene.cache.pins())) found.insert({pin.bucket, pin.key});
        return found;
    };
    using Pairs = std::set<std::pair<std::string, std::string>>;
    CHECK(listed() == Pairs{{"b", long_key}, {"b", "later"}, {"other: 1", "later"}});
    value(scene.bucket.remove(long_key));  // now nothing holds all of it
    value(other.unpin("later"));
    CHECK(listed() == Pairs{{"b", "later"}});
}

TEST_CASE("a pinned key is spared, this entry and later ones, until it is unpinned") {
    const Scene scene;
    put_old(scene, 3);
    const std::string long_key(1000, 'k');
    put(scene.bucket, long_key, "long");
    CHECK_FALSE(value(scene.bucket.is_pinned("0")));
    CHECK(outcome(scene.bucket.unpin("0")) == "miss");
    for (int twice = 0; twice < 2; ++twice) value(scene.bucket.pin("0"));
    value(scene.bucket.pin(long_key));
    value(scene.bucket.pin("not there yet"));
    CHECK(value(scene.bucket.is_pinned("0")));
    CHECK(value(scene.bucket.is_pinned(long_key)));
    CHECK_FALSE(value(scene.bucket.is_pinned(long_key + "k")));

    CHECK(collect(scene.cache, {.max_entries = 0}).keys == Keys{"1", "2"});
    CHECK(keys_of(scene.bucket) == Keys{"0", long_key});

    put(scene.bucket, "0", "again");
    value(scene.bucket.refresh());
    put(scene.bucket, "0", "after a refresh");
    const auto again = collect(scene.cache, {.max_entries = 0});
    CHECK(again.keys.empty());
    CHECK_FALSE(again.report.within_limits);

    value(scene.bucket.unpin("0"));
    CHECK(collect(scene.cache, {.max_entries = 0}).keys == Keys{"0"});
    CHECK(value(scene.cache.verify()).findings.empty());
    require_no_leak(scene.root, 0);
}

TEST_CASE("a pin through a symlink does not lead out of the cache") {
    const Scene scene;
    const fs::path outside = scene.dir.path() / "outside";
    fs::create_directory(outside);
    fs::create_symlink(outside, scene.root / "pins");
    CHECK_FALSE(scene.bucket.pin("k"));
    CHECK(count_entries(outside) == 0);
    fs::remove(scene.root / "pins");
    fs::create_directory(scene.root / "pins");
    fs::create_symlink(outside, scene.root / "pins" / "b");
    CHECK_FALSE(scene.bucket.pin("k"));
    CHECK_FALSE(scene.bucket.pin("../k"));
    CHECK(count_entries(outside) == 0);
}

TEST_CASE("a pattern of keep spares the entries that fit, by bucket and key") {
    const Scene scene;
    put_old(scene, 3);
    const Bucket other = value(scene.cache.bucket("c"));
    put(other, "dir/0", "x");
    put(other, "dir/1", "x");
    CHECK(collect(scene.cache, {.max_entries = 0, .keep = {"b/[12]", "*/0"}}).keys ==
          Keys{"dir/1"});
    CHECK(keys_of(scene.bucket) == Keys{"0", "1", "2"});
    CHECK(keys_of(other) == Keys{"dir/0"});
}

TEST_CASE("a dry run reports what the real one does, and changes nothing") {
    const Scene scene;
    put_old(scene, 6);
    const Lease leased = value(scene.bucket.get("1"));
    value(scene.bucket.pin("2"));
    use_ago(scene, "1", 1000h);
    const Limits limits{.max_entries = 3, .low_water = 100};
    const auto before = snapshot(scene.root);
    const auto would = collect(scene.cache, limits, {.dry_run = true});
    CHECK(snapshot(scene.root) == before);
    const auto did = collect(scene.cache, limits);
    CHECK(would.keys == Keys{"0", "3", "4"});
    CHECK(did.keys == would.keys);
    CHECK(did.report.entries == would.report.entries);
    CHECK(did.report.bytes == would.report.bytes);
    CHECK(did.report.spared.size() == would.report.spared.size());
    for (std::size_t i = 0; i < did.evictions.size(); ++i)
        CHECK(did.evictions[i].id == would.evictions[i].id);
}

TEST_CASE("a plan takes those of its entries that are still what was planned") {
    const Scene scene;
    put_old(scene, 7);
    const auto planned = collect(scene.cache, {.max_entries = 0}, {.dry_run = true}).evictions;
    REQUIRE(planned.size() == 7);
    put(scene.bucket, "0", "replaced");
    value(scene.bucket.remove("1"));
    use_ago(scene, "2", 0s);
    value(scene.bucket.pin("3"));
    const Lease leased = value(scene.bucket.get("4"));
    settle_uses(scene);
    use_ago(scene, "4", 1000h);
    const auto done = evict(scene.cache, {.evictions = planned, .keep = {"b/5"}});
    CHECK(done.keys == Keys{"6"});
    CHECK(done.report.used_since == 5);
    CHECK(done.report.spared.size() == 1);
    CHECK(keys_of(scene.bucket) == Keys{"0", "2", "3", "4", "5"});
    CHECK(content_of(scene.bucket, "0") == "replaced");
    CHECK(evict(scene.cache, {.evictions = planned}).keys == Keys{"5"});
}

// Misuses that do not compile: a collection in the background that is a dry run or carries out a
// plan, and a plan beside limits.
template <class... Arguments>
concept KeepsWithin = requires(const Cache& cache, Arguments... arguments) {
    cache.keep_within(arguments...);
};
template <class... Arguments>
concept Evicts = requires(const Cache& cache, Arguments... arguments) {
    cache.evict(arguments...);
};
template <class... Arguments>
concept Collects = requires(const Cache& cache, Arguments... arguments) {
    cache.collect(arguments...);
};
static_assert(KeepsWithin<Limits> && KeepsWithin<Limits, BackgroundOptions>);
static_assert(!KeepsWithin<Limits, CollectOptions> && !KeepsWithin<CollectOptions>);
static_assert(!KeepsWithin<EvictionPlan>);
static_assert(Evicts<EvictionPlan> && Evicts<EvictionPlan, CollectOptions>);
static_assert(!Evicts<EvictionPlan, Limits> && !Evicts<Limits>);
static_assert(Collects<> && Collects<Limits> && Collects<Limits, CollectOptions>);
static_assert(!Collects<EvictionPlan> && !Collects<Limits, EvictionPlan>);

TEST_CASE("limits and plans that make no sense are refused, and nothing changes") {
    const Scene scene;
    put_old(scene, 1);
    CHECK(outcome(scene.cache.collect({.max_entries = 0, .low_water = 0})) == "invalid");
    CHECK(outcome(scene.cache.collect({.max_entries = 0, .low_water = 101})) == "invalid");
    Eviction hostile;
    for (const std::string& id :
         std::vector<std::string>{"", "../../archive", std::string(26, '0'), "x"}) {
        hostile.id = id;
        CHECK(outcome(scene.cache.evict({.evictions = {hostile}})) == "invalid");
    }
    CHECK(keys_of(scene.bucket) == Keys{"0"});
    require_no_leak(scene.root, 1);
}

TEST_CASE("where tables are written, a use is written down at most once an hour") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    std::vector<std::string> noted;
    const auto get = [&](const Bucket& bucket) {
        noted.clear();
        os::set_point_hook([&](const char* name) {
            if (name == std::string("use.note")) noted.emplace_back(name);
            return name == std::string("os.map-table") ? EINVAL : 0;
        });
        const auto lease = bucket.get("k");
        os::set_point_hook({});
        Child::must(lease.has_value(), "a miss");
        return noted.size();
    };
    use_ago(scene, "k", 30min);
    Child first([&](Child&) {
        const Bucket bucket = open_bucket(scene.root);
        Child::must(get(bucket) == 0, "it is written down already");
        use_ago(scene, "k", 24h);
        Child::must(get(bucket) == 0, "this process has looked at the link a moment ago");
    });
    CHECK(first.join() == 0);

    // Another process has not looked.
    Child other(
        [&](Child&) { Child::must(get(open_bucket(scene.root)) == 1, "the use is written down"); });
    CHECK(other.join() == 0);
    CHECK(last_use_of(scene, "k") < 30min);
    Child third([&](Child&) {
        Child::must(get(open_bucket(scene.root)) == 0, "it is written down already");
    });
    CHECK(third.join() == 0);

    // A time that lies in the future is corrected.
    use_ago(scene, "k", -1000h);
    Child fourth([&](Child&) {
        Child::must(get(open_bucket(scene.root)) == 1, "a time of the future is no use");
    });
    CHECK(fourth.join() == 0);
    CHECK(last_use_of(scene, "k") > -30min);
}

TEST_CASE("a use that can't be written down is a hit all the same") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    use_ago(scene, "k", 24h);
    OpenOptions read_only = test_options();
    read_only.read_only = true;
    CHECK(content_of(open_bucket(scene.root, read_only), "k") == "x");
    CHECK(last_use_of(scene, "k") > 23h);
    // A bucket that is a symlink leads out of the cache: larder changes nothing there.
    const fs::path elsewhere = keys_of(scene.root / "buckets" / "b");
    fs::rename(scene.root / "buckets" / "b", scene.dir.path() / "b");
    fs::create_symlink(buckets_are_pointers() ? elsewhere : scene.dir.path() / "b",
                       scene.root / "buckets" / "b");
    Child other([&](Child&) { (void)open_bucket(scene.root).get("k"); });
    CHECK(other.join() == 0);
    fs::remove(scene.root / "buckets" / "b");
    fs::rename(scene.dir.path() / "b", scene.root / "buckets" / "b");
    CHECK(last_use_of(scene, "k") > 23h);
}

TEST_CASE("a change to a victim between its choice and its turn is noticed") {
    const Scene scene;
    put_old(scene, 5);
    HeldCollector collector(scene, {.max_entries = 0}, "evict.planned");
    const Lease leased = value(scene.bucket.get("0"));
    put(scene.bucket, "1", "replaced");
    value(scene.bucket.pin("2"));
    use_ago(scene, "3", 0s);
    use_ago(scene, "0", 1000h);
    CHECK(collector.go_on() == "evicted 1");
    CHECK(keys_of(scene.bucket) == Keys{"0", "1", "2", "3"});
    CHECK(content_of(leased) == std::string(100, 'x'));
}

TEST_CASE("an entry that is leased in the last moment is evicted, and stays while it is leased") {
    const Scene scene;
    put_old(scene, 1);
    HeldCollector collector(scene, {.max_entries = 0}, "evict.one");
    // It has the lease, and has not yet written its use.
    Child user(
        [&](Child&) {
            const Lease leased = value(open_bucket(scene.root).get("0"));
            Child::must(content_of(leased) == std::string(100, 'x'), "it is gone");
        },
        {{"get.confirmed"}, {}});
    user.wait_for("get.confirmed");
    CHECK(collector.go_on() == "evicted 1");
    CHECK(outcome(scene.bucket.get("0")) == "miss");
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    user.go_on();
    CHECK(user.join() == 0);
}

TEST_CASE(
    "a process that is stopped inside a publish keeps its bucket from being evicted, and no "
    "other") {
    const Scene scene;
    put_old(scene, 2);
    const Bucket other = value(scene.cache.bucket("c"));
    put(other, "theirs", "x");
    Child publisher([&](Child&) { put(open_bucket(scene.root), "new", "x"); },
                    {{"publish.locked"}, {}});
    publisher.wait_for("publish.locked");
    publisher.stop();
    const auto done = collect(scene.cache, {.max_entries = 0});
    CHECK(done.keys == Keys{"theirs"});
    CHECK(done.report.held_up == 2);
    CHECK_FALSE(done.report.within_limits);
    publisher.resume();
    publisher.go_on();
    CHECK(publisher.join() == 0);
    CHECK(collect(scene.cache, {.max_entries = 0}).keys.size() == 3);
}

TEST_CASE("a collector that is killed while it evicts has evicted what it had, and no more") {
    for (const std::string point : {"evict.planned", "evict.one", "evict.retired"}) {
        INFO("killed at " << point);
        const Scene scene;
        put_old(scene, 2);
        Child victim([&](Child&) { (void)open_cache(scene.root).collect({.max_entries = 0}); },
                     {{}, {point}});
        CHECK(victim.join() == 128 + SIGKILL);
        const std::size_t left = point == "evict.retired" ? 1 : 2;
        CHECK(keys_of(scene.bucket).size() == left);
        require_no_leak(scene.root, left);
    }
}

TEST_CASE("a collection that is asked to stop leaves the rest, and its report says so") {
    const Scene scene;
    put_old(scene, 3);
    std::stop_source stop;
    SECTION("before it begins") {
        stop.request_stop();
        const auto done = collect(scene.cache, {.max_entries = 0}, {.stop = stop.get_token()});
        CHECK(done.report.stopped);
        CHECK(done.keys.empty());
    }
    SECTION("while it evicts") {
        CollectOptions options{.stop = stop.get_token()};
        options.on_evict = [&](const Eviction&) { stop.request_stop(); };
        const auto report = value(scene.cache.collect({.max_entries = 0}, options));
        CHECK(report.stopped);
        CHECK(report.evicted == 1);
        CHECK(keys_of(scene.bucket) == Keys{"1", "2"});
    }
    require_no_leak(scene.root, keys_of(scene.bucket).size());
}

TEST_CASE(
    "the report counts what the disk gets back: hard links elsewhere keep their files' space") {
    const Scene scene;
    Staging staging = value(scene.bucket.stage());
    write_file(staging.path() / "mine", std::string(100'000, 'x'));
    write_file(staging.path() / "shared", std::string(1'000'000, 'y'));
    write_file(staging.path() / "twice", std::string(50'000, 'z'));
    fs::create_hard_link(staging.path() / "twice", staging.path() / "twice too");
    Lease lease = value(scene.bucket.publish("k", std::move(staging)));
    fs::create_hard_link(lease.path() / "shared", scene.dir.path() / "shared");
    lease.release();
    value(scene.bucket.remove("k"));
    const auto report = value(scene.cache.collect({}, {.threads = 1, .count_freed = true}));
    REQUIRE(report.freed);
    if (report.freed_at_least) {
        CHECK(*report.freed < 1'000'000);
    } else {
        CHECK(*report.freed >= 150'000);
        CHECK(*report.freed < 250'000);
    }
    CHECK(read_file(scene.dir.path() / "shared") == std::string(1'000'000, 'y'));
    CHECK_FALSE(value(scene.cache.collect()).freed);
}

TEST_CASE("an age of centuries takes nothing, and a negative one is refused") {
    const Scene scene;
    put_old(scene, 2);
    for (const auto age :
         {std::chrono::seconds::max(), std::chrono::seconds(std::chrono::hours(24 * 365 * 400))}) {
        CHECK(collect(scene.cache, {.max_age = age}).keys.empty());
    }
    CHECK(outcome(scene.cache.collect({.max_age = -1s})) == "invalid");
    CHECK(keys_of(scene.bucket).size() == 2);
}

TEST_CASE("more may stay than low water asks for, if that is within the limit") {
    const Scene scene;
    put_old(scene, 5);
    HeldCollector collector(scene, {.max_entries = 4, .low_water = 50}, "evict.planned");
    use_ago(scene, "0", 0s);
    CHECK(collector.go_on() == "evicted 2");
    const auto again = collect(scene.cache, {.max_entries = 4, .low_water = 50});
    CHECK(again.report.within_limits);
    CHECK(keys_of(scene.bucket).size() == 3);
    CHECK(collect(scene.cache, {.max_entries = 1}).keys.size() ==
          2);  // 90 % of one entry is one entry
}

TEST_CASE(
    "an eviction under way sees a pin that has returned, since the pin waits for the bucket's "
    "lock") {
    const Scene scene;
    put_old(scene, 1);
    HeldCollector collector(scene, {.max_entries = 0}, "retire.checked");
    const auto refused = open_hasty(scene.root).pin("0");
    CHECK(outcome(refused) == "busy");
    CHECK(contains(refused.error().message(), "pid " + std::to_string(collector.child().pid())));
    CHECK(collector.go_on() == "evicted 1");

    put(scene.bucket, "0", "again");
    Child pinner([&](Child&) { value(open_bucket(scene.root).pin("0")); }, {{"pin.locked"}, {}});
    pinner.wait_for("pin.locked");
    HeldCollector other(scene, {.max_entries = 0}, "evict.one");
    pinner.go_on();
    CHECK(pinner.join() == 0);
    CHECK(other.go_on() == "evicted 0");
    CHECK(content_of(scene.bucket, "0") == "again");
}

TEST_CASE("where tables are written, the next use is written down after an hour") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    const auto uses_noted = [&](std::chrono::seconds ago) {
        use_ago(scene, "k", ago);
        Child other([&](Child& child) {
            unsigned noted = 0;
            os::set_point_hook([&](const char* name) {
                noted += name == std::string("use.note");
                return name == std::string("os.map-table") ? EINVAL : 0;
            });
            (void)open_bucket(scene.root).get("k");
            os::set_point_hook({});
            child.say(std::to_string(noted));
        });
        auto said = other.listen();
        CHECK(other.join() == 0);
        return said;
    };
    CHECK(uses_noted(58min) == "0");
    CHECK(uses_noted(60min) == "1");
}
