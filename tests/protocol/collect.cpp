// SPDX-License-Identifier: MIT
// Collect: what it deletes, what it keeps, and what it reports. It never loses an entry.

#include "cache/lease_table.hpp"
#include "catch.hpp"
#include "format/layout.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

std::vector<std::string> names_of(const std::vector<fs::path>& paths) {
    std::vector<std::string> names;
    for (const auto& path : paths) names.push_back(path.filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

/// Puts "new" in a process that is killed at `point`.
void put_killed_at(const Scene& scene, const std::string& point) {
    Child victim([&](Child&) { put(open_bucket(scene.root), "killed", "new"); }, {{}, {point}});
    REQUIRE(victim.join() == 128 + SIGKILL);
}

/// Makes what was retired `ago` older than it is, and returns how many names that were.
int make_older(const fs::path& retired, std::chrono::seconds ago) {
    const auto count = static_cast<format::RetiredAt>(ago.count());
    std::vector<fs::path> all;
    for (const auto& one : fs::directory_iterator(retired)) all.push_back(one.path());
    for (const auto& path : all) {
        const auto name = format::parse_id(path.filename().string());
        const auto older = format::fresh_retired_name(format::retired_at(*name) - count);
        fs::rename(path, retired / format::to_text(older));
    }
    return static_cast<int>(all.size());
}

constexpr std::chrono::seconds hour{3600};

}  // namespace

TEST_CASE("buckets that come and go leave no directory and no lock file behind") {
    const Scene scene;
    put(scene.bucket, "stays", "content");
    put(scene.bucket, "goes", "content");
    value(scene.bucket.remove("goes"));
    const std::size_t names = count_entries(scene.root);
    CHECK(fs::file_size(scene.root / "locks") == 0);
    for (int i = 0; i < 50; ++i) {
        const Bucket bucket = value(scene.cache.bucket("bucket-" + std::to_string(i)));
        put(bucket, "k", "content");
        value(bucket.pin("k"));
        value(bucket.unpin("k"));
        value(bucket.remove("k"));
    }
    CHECK(count_entries(scene.root / "buckets") == 51);
    CHECK(value(scene.cache.collect()).entries == 51);
    CHECK(count_entries(scene.root / "buckets") == 1);
    CHECK(count_entries(scene.root / "pins") == 0);
    CHECK(fs::file_size(scene.root / "locks") == 0);
    // `pins/`, and `boots/` if the system tells the id of a boot.
    const bool has_boots = os::boot_id() != os::BootId{};
    CHECK(count_entries(scene.root) == names + (has_boots ? 2 : 1));
    CHECK(content_of(scene.bucket, "stays") == "content");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a publish whose empty bucket a collection removes makes it anew") {
    // 1. P has made sure of the bucket's directory, which is empty
    // 2. a collection removes it; but not a pointer, because P holds the bucket's lock
    // 3. P renames its link into it
    const Scene scene;
    put(scene.bucket, "other", "old");
    value(scene.bucket.remove("other"));
    Child publisher([&](Child&) { put(open_bucket(scene.root), "k", "new"); },
                    {{"publish.before-placing-new"}, {}});
    publisher.wait_for("publish.before-placing-new");
    CHECK(value(scene.cache.collect()).entries == 1);
    CHECK(count_entries(scene.root / "buckets") == (buckets_are_pointers() ? 1 : 0));
    publisher.go_on();
    if (!buckets_are_pointers()) {
        publisher.wait_for("publish.before-placing-new");
        publisher.go_on();
    }
    CHECK(publisher.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a grace keeps what was retired less than that time ago, and no grace deletes it") {
    const Scene scene;
    const fs::path links = scene.root / "retired/links", buckets = scene.root / "retired/buckets";
    put(scene.bucket, "removed", "old");
    put(scene.bucket, "replaced", "old");
    value(scene.bucket.remove("removed"));
    put(scene.bucket, "replaced", "new");
    value(scene.bucket.refresh());

    for (const bool dry_run : {true, false}) {
        const auto kept = value(scene.cache.collect({}, {.dry_run = dry_run, .grace = hour}));
        CHECK(kept.in_grace == 3);
        CHECK(kept.entries == 0);
        CHECK(kept.buckets == 0);
    }
    CHECK(value(scene.cache.trash()).size() == 3);

    REQUIRE(make_older(links, hour) == 2);
    const auto links_went = value(scene.cache.collect({}, {.grace = hour}));
    CHECK(links_went.entries == 2);
    CHECK(links_went.in_grace == 1);
    REQUIRE(make_older(buckets, hour / 2) == 1);
    CHECK(value(scene.cache.collect({}, {.grace = hour})).in_grace == 1);
    REQUIRE(make_older(buckets, hour / 2) == 1);
    const auto bucket_went = value(scene.cache.collect({}, {.grace = hour}));
    CHECK(bucket_went.entries == 1);
    CHECK(bucket_went.buckets == 1);
    CHECK(bucket_went.in_grace == 0);

    put(scene.bucket, "k", "old");
    value(scene.bucket.remove("k"));
    const auto without = value(scene.cache.collect());
    CHECK(without.entries == 1);
    CHECK(without.in_grace == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE("a refreshed bucket that is taken apart keeps its time of retirement") {
    const Scene scene;
    {
        const Lease lease = put(scene.bucket, "k", "old");
        value(scene.bucket.refresh());
        REQUIRE(make_older(scene.root / "retired/buckets", hour) == 1);
        CHECK(value(scene.cache.collect()).leased.size() == 1);
    }
    const auto report = value(scene.cache.collect({}, {.grace = hour}));
    CHECK(report.entries == 1);
    CHECK(report.in_grace == 0);
}

TEST_CASE("a grace counts a retirement in the future as one of now") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    value(scene.bucket.remove("k"));
    REQUIRE(make_older(scene.root / "retired/links", -24 * hour) == 1);
    CHECK(value(scene.cache.collect({}, {.grace = hour})).in_grace == 1);
    CHECK(value(scene.cache.collect()).entries == 1);
}

TEST_CASE("a grace keeps nothing that a limit evicts") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    put(scene.bucket, "removed", "old");
    value(scene.bucket.remove("removed"));
    const auto report = value(scene.cache.collect({.max_entries = 0}, {.grace = hour}));
    CHECK(report.evicted == 1);
    CHECK(report.entries == 1);
    CHECK(report.in_grace == 1);
}

TEST_CASE(
    "of two collectors, or a collector and a verifier, the second is told which process is at "
    "work") {
    for (const std::string point :
         {"collect.locked", "collect.listed", "collect.scanned", "collect.moved"}) {
        INFO("held at " << point);
        const Scene scene;
        put(scene.bucket, "k", "old");
        value(scene.bucket.remove("k"));
        Child first([&](Child&) { (void)value(open_cache(scene.root).collect()); }, {{point}, {}});
        first.wait_for(point);
        const auto refused = scene.cache.collect();
        REQUIRE(outcome(refused) == "busy");
        // Before it has cleaned up after the dead, the collector has no table that could name it.
        if (point != "collect.locked")
            CHECK(contains(refused.error().message(), "pid " + std::to_string(first.pid())));
        CHECK(outcome(scene.cache.collect({}, {.dry_run = true})) == "busy");
        CHECK(outcome(scene.cache.verify()) == "busy");
        CHECK(value(scene.cache.status()).collecting);
        first.go_on();
        CHECK(first.join() == 0);
        CHECK(outcome(scene.cache.collect()) == "ok");
        CHECK_FALSE(value(scene.cache.status()).collecting);
        require_no_leak(scene.root, 0);
    }
}

TEST_CASE("a stopped collector holds up neither get nor put, remove or refresh") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    put(scene.bucket, "k2", "old");
    value(scene.bucket.remove("k2"));
    Child first([&](Child&) { (void)value(open_cache(scene.root).collect()); },
                {{"collect.scanned"}, {}});
    first.wait_for("collect.scanned");
    first.stop();
    const Bucket hasty = open_hasty(scene.root);
    CHECK(content_of(hasty, "k") == "old");
    CHECK(outcome(try_put(hasty, "k", "new")) == "ok");
    CHECK(outcome(hasty.remove("k")) == "ok");
    CHECK(outcome(hasty.refresh()) == "ok");
    CHECK(outcome(hasty.get_or_build("k", [](Staging& stage) -> Result<> {
              fill(stage.path(), "built");
              return {};
          })) == "ok");
    first.resume();
    first.go_on();
    CHECK(first.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "built");
    require_no_leak(scene.root, 1);
}

TEST_CASE("another collection can begin while the first one deletes what it has moved aside") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    value(scene.bucket.remove("k"));
    Child first([&](Child&) { (void)value(open_cache(scene.root).collect()); },
                {{"collect.unlocked"}, {}});
    first.wait_for("collect.unlocked");
    CHECK(count_entries(scene.root / "deleting") == 1);
    CHECK(value(scene.cache.collect()).entries == 0);
    CHECK(count_entries(scene.root / "deleting") == 0);
    first.go_on();
    CHECK(first.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE("the report counts what was deleted, and says what stays and which process leases it") {
    const Scene scene;
    put(scene.bucket, "replaced", "12345");  // three files of five bytes
    put(scene.bucket, "replaced", "1");
    put(scene.bucket, "removed", "123");
    value(scene.bucket.remove("removed"));
    const Lease leased = put(scene.bucket, "leased", "1");
    value(scene.bucket.remove("leased"));
    const Bucket other = value(scene.cache.bucket("b2"));
    put(other, "k1", "12");
    put(other, "k2", "12");
    value(other.refresh());
    put_killed_at(scene, "publish.leased");

    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 5);
    CHECK(report.bytes == 15 + 9 + 6 + 6 + 9);
    CHECK(report.buckets == 1);
    CHECK(report.reaped == 1);
    CHECK(report.unknown.empty());
    REQUIRE(report.leased.size() == 1);
    CHECK(report.leased[0].id == leased.id());
    CHECK(report.leased[0].bucket == "b");
    CHECK(report.leased[0].key == "leased");
    CHECK(report.leased[0].process.pid == ::getpid());

    const auto again = value(scene.cache.collect());
    CHECK(again.entries + again.bytes + again.buckets + again.reaped == 0);
    CHECK(again.leased.size() == 1);
    CHECK(count_entries(scene.root / "archive") == 2);
}

TEST_CASE("a dry run says what a collection would delete, and changes nothing") {
    const Scene scene;
    (void)value(scene.cache.collect());  // this makes the lock's file
    put(scene.bucket, "replaced", "12345");
    put(scene.bucket, "replaced", "1");
    put(scene.bucket, "removed", "123");
    value(scene.bucket.remove("removed"));
    const Lease leased = put(scene.bucket, "leased", "1");
    value(scene.bucket.remove("leased"));
    const auto before = snapshot(scene.root);
    const auto promised = value(scene.cache.collect({}, {.dry_run = true}));
    CHECK(snapshot(scene.root) == before);
    const auto done = value(scene.cache.collect());
    CHECK(promised.entries == done.entries);
    CHECK(promised.bytes == done.bytes);
    CHECK(promised.leased.size() == done.leased.size());
    CHECK(done.entries == 2);
}

TEST_CASE("a dry run counts the keys of refreshed buckets, and leaves them where they are") {
    const Scene scene;
    (void)value(scene.cache.collect());
    put(scene.bucket, "k1", "12345");
    put(scene.bucket, "k2", "1");
    const Lease leased = put(scene.bucket, "k3", "1");
    value(scene.bucket.refresh());
    put(scene.bucket, "k1", "live");
    const auto before = snapshot(scene.root);
    const auto promised = value(scene.cache.collect({}, {.dry_run = true}));
    CHECK(snapshot(scene.root) == before);
    const auto done = value(scene.cache.collect());
    CHECK(done.entries == 2);
    CHECK(promised.entries == done.entries);
    CHECK(promised.bytes == done.bytes);
    CHECK(promised.buckets == done.buckets);
    CHECK(promised.leased.size() == done.leased.size());
}

// ---- what collect must not touch ----

TEST_CASE("collect does not touch an entry that no link names") {
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "orphan").id();
    fs::remove(keys_of(scene.root / "buckets" / "b") / "k");
    const auto before = snapshot(scene.root / "archive" / id);
    CHECK(value(scene.cache.collect()).entries == 0);
    CHECK(snapshot(scene.root / "archive" / id) == before);
}

TEST_CASE("a copy of a live link among the retired is a leak, never a loss") {
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "live").id();
    plant_link(scene.cache, scene.root / "retired" / "links", fresh_name(), id);
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.bytes == 0);
    CHECK(content_of(scene.bucket, "k") == "live");
    require_no_leak(scene.root, 1);
    value(scene.bucket.remove("k"));
    require_no_leak(scene.root, 0);
}

TEST_CASE("a link to a live entry that a power cut has left elsewhere costs the entry nothing") {
    // A power cut may undo one half of the exchange of a publish, or of the rename of a remove:
    // then an entry has the link of its key and another one. (btrfs does so, and any file system
    // may, between two syncs.) Without the look at the entry's own key, the collection would take
    // the other link for a proof that the entry is garbage, and delete what the key names.
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "live").id();
    std::string number;
    {
        Child dead([&](Child& child) {
            const Staging staging = value(open_bucket(scene.root).stage());
            child.say("staged");
            child.hear();
        });
        dead.wait_for("staged");
        for (const auto& area : fs::directory_iterator(scene.root / "staging"))
            if (!fs::is_empty(area.path())) number = area.path().filename().string();
        dead.kill();
    }
    plant_link(scene.cache, scene.root / "staging" / number,
               format::staged_link_name(*format::parse_id(id)), id);
    plant_link(scene.cache, scene.root / "retired" / "links", fresh_name(), id);
    plant_link(scene.cache, plant_refreshed(scene.cache, fresh_name()), "k", id);
    const auto report = value(scene.cache.collect());
    CHECK(report.reaped == 1);
    CHECK(report.entries == 1);  // what the dead process has staged
    CHECK(content_of(scene.bucket, "k") == "live");
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "a lease holds if its key is removed beside a collector that has listed a copy of the link") {
    // 1. a live link is copied among the retired
    // 2. C has listed the copy and read the slots: no process leases the entry
    // 3. G leases the key, which is then removed: now no key names the entry
    // 4. C must not delete the entry because of the copy
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "live").id();
    plant_link(scene.cache, scene.root / "retired" / "links", fresh_name(), id);
    Child collector(
        [&](Child& child) {
            child.say("collected " +
                      std::to_string(value(open_cache(scene.root).collect()).entries));
        },
        {{"collect.scanned"}, {}});
    collector.wait_for("collect.scanned");
    Lease lease = value(scene.bucket.get("k"));
    value(scene.bucket.remove("k"));
    collector.go_on();
    collector.wait_for("collected 0");
    CHECK(collector.join() == 0);
    CHECK(content_of(lease) == "live");
    lease.release();
    require_no_leak(scene.root, 0);
}

TEST_CASE("a retired link that names no entry, or is malformed, is unlinked, and nothing else") {
    const Scene scene;
    put(scene.bucket, "k", "live");
    const fs::path retired = scene.root / "retired" / "links";
    plant_link(scene.cache, retired, fresh_name(), fresh_name());
    for (const char* target : {"../../archive", "/", "../../archive/../buckets", ""}) {
        const fs::path path = retired / fresh_name();
        if (*target != '\0' || scene.cache.link_kind() == LinkKind::file)
            plant_text(scene.cache, path, target);
    }
    CHECK(value(scene.cache.collect()).leased.empty());
    CHECK(content_of(scene.bucket, "k") == "live");
    require_no_leak(scene.root, 1);
}

TEST_CASE("names that larder does not know are listed and left alone") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    value(scene.bucket.refresh());
    put(scene.bucket, "k", "live");
    const fs::path links = scene.root / "retired" / "links",
                   buckets = scene.root / "retired" / "buckets";
    const fs::path refreshed = keys_of(fs::directory_iterator(buckets)->path());
    const std::string a_directory = fresh_name(), a_file = fresh_name();
    write_file(links / "foreign-file", "x");
    fs::create_directory(links / a_directory);
    fs::create_directory(buckets / "foreign-bucket");
    write_file(buckets / "foreign-bucket" / "k", "x");
    // A file may be a pointer that was cut off, which a collection unlinks.
    if (buckets_are_pointers() && scene.cache.link_kind() == LinkKind::file) {
        fs::create_directory(buckets / a_file);
    } else {
        write_file(buckets / a_file, "x");
    }
    fs::create_directory(refreshed / "a-directory");
    write_file(refreshed / "A name that no key has", "x");
    const std::vector<fs::path> foreign = {
        links / "foreign-file", links / a_directory,       buckets / "foreign-bucket",
        buckets / a_file,       refreshed / "a-directory", refreshed / "A name that no key has"};
    for (int round = 0; round < 2; ++round) {
        const auto report = value(scene.cache.collect());
        CHECK(report.entries == (round == 0 ? 1 : 0));
        CHECK(names_of(report.unknown) == names_of(foreign));
        for (const auto& path : foreign) CHECK(fs::exists(path));
    }
    CHECK(content_of(scene.bucket, "k") == "live");
}

// ---- participants ----

TEST_CASE("if a lease table can't be read, nothing is collected, and everything else works") {
    for (const bool unreadable : {false, true}) {
        const Scene scene;
        put(scene.bucket, "k", "old");
        value(scene.bucket.remove("k"));
        put(scene.bucket, "k2", "old");
        value(scene.bucket.refresh());
        const fs::path participant = scene.root / "participants" / "1";
        if (unreadable) {
            fs::create_directory(participant);
        } else {
            write_file(participant, std::string(16384, '2'));
        }
        const auto before = snapshot(scene.root / "archive");
        CHECK(outcome(scene.cache.collect()) == "damaged");
        CHECK(outcome(scene.cache.collect({}, {.dry_run = true})) == "damaged");
        CHECK(snapshot(scene.root / "archive") == before);

        // Other processes find a table, wherever in the pool they begin to look. There are several,
        // so that one begins at the bad table.
        std::vector<std::unique_ptr<Child>> others;
        for (int i = 0; i < 4; ++i) {
            const std::string key = "other" + std::to_string(i);
            others.push_back(std::make_unique<Child>([&](Child& child) {
                const Lease lease = put(open_bucket(scene.root), key, "new");
                child.say("put");
                child.hear();
                Child::must(content_of(open_bucket(scene.root), key) == "new", "not what was put");
            }));
        }
        for (const auto& other : others) other->wait_for("put");
        for (const auto& other : others) other->go_on();
        for (const auto& other : others) CHECK(other->join() == 0);
        if (!unreadable) CHECK(read_file(participant) == std::string(16384, '2'));

        fs::remove(participant);
        CHECK(value(scene.cache.collect()).entries == 2);
    }
}

TEST_CASE("a lease table that is cut short holds no lease: collections go on, and it is adopted") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    value(scene.bucket.remove("k"));
    write_file(scene.root / "participants" / "1", std::string(100, '2'));
    CHECK(value(scene.cache.collect()).entries == 1);
    Child other([&](Child&) { put(open_bucket(scene.root), "k", "new"); });
    CHECK(other.join() == 0);
    CHECK(count_entries(scene.root / "participants") == 2);
}

TEST_CASE(
    "what a living process has staged stays, even if it is stopped; what a dead one has staged is "
    "reaped") {
    const Scene scene;
    Child living([&](Child& child) {
        const Bucket bucket = open_bucket(scene.root);
        Staging staging = value(bucket.stage());
        fill(staging.path(), "staged");
        child.say("staged");
        child.hear();
        (void)value(bucket.publish("k", std::move(staging)));
    });
    living.wait_for("staged");
    living.stop();
    Child dead([&](Child& child) {
        const Staging staging = value(open_bucket(scene.root).stage());
        fill(staging.path(), "staged");
        child.say("staged");
        child.hear();
    });
    dead.wait_for("staged");
    const auto staged = [&] {
        std::size_t count = 0;
        for (const auto& area : fs::directory_iterator(scene.root / "staging"))
            count += count_entries(area.path());
        return count;
    };
    CHECK(value(scene.cache.collect()).reaped == 0);
    CHECK(staged() == 2);
    dead.kill();
    const auto report = value(scene.cache.collect());
    CHECK(report.reaped == 1);
    CHECK(report.entries == 1);
    CHECK(staged() == 1);
    CHECK(value(scene.cache.collect()).reaped == 0);
    living.resume();
    living.go_on();
    CHECK(living.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "staged");
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "a link that a living process holds in staging is not retired, and its entry not collected") {
    const Scene scene;
    Child living([&](Child&) { put(open_bucket(scene.root), "k", "new"); },
                 {{"publish.leased"}, {}});
    living.wait_for("publish.leased");
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.reaped == 0);
    living.go_on();
    CHECK(living.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
}

TEST_CASE("an adopter reaps what its predecessor left before it stages anything itself") {
    const Scene scene;  // it has not joined yet: the victim has the pool for itself
    put_killed_at(scene, "publish.leased");
    REQUIRE(count_entries(scene.root / "participants") == 1);
    Child adopter([&](Child& child) {
        const Lease lease = put(open_bucket(scene.root), "k", "new");
        child.say("put");
        child.hear();
    });
    adopter.wait_for("put");
    CHECK(count_entries(scene.root / "participants") == 1);
    CHECK(count_entries(scene.root / "staging" / "0") == 0);
    CHECK(count_entries(scene.root / "retired" / "links") == 1);
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 1);
    CHECK(report.reaped == 0);
    adopter.go_on();
    CHECK(adopter.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "an adopter that is killed while it reaps has touched no living process, and the next one "
    "carries on") {
    for (const std::string point : {"adopt.locked", "reap.link-one", "adopt.reaped"}) {
        const Scene scene;
        put_killed_at(scene, "publish.leased");
        Child adopter([&](Child&) { put(open_bucket(scene.root), "k", "new"); }, {{}, {point}});
        CHECK(adopter.join() == 128 + SIGKILL);
        put(scene.bucket, "k", "live");
        require_no_leak(scene.root, 1);
    }
}

TEST_CASE("a read-only cache is not collected") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    value(scene.bucket.remove("k"));
    OpenOptions options = test_options();
    options.read_only = true;
    CHECK(outcome(open_cache(scene.root, options).collect()) == "read_only");
    CHECK(count_entries(scene.root / "archive") == 1);
}

TEST_CASE("a dry run counts what the dead have left") {
    const Scene scene;
    (void)value(scene.cache.collect());
    put(scene.bucket, "k", "12345");
    value(scene.bucket.refresh());
    put_killed_at(scene, "publish.leased");
    const auto before = snapshot(scene.root);
    const auto promised = value(scene.cache.collect({}, {.dry_run = true}));
    CHECK(snapshot(scene.root) == before);
    const auto done = value(scene.cache.collect());
    CHECK(done.entries == 2);
    CHECK(promised.entries == done.entries);
    CHECK(promised.bytes == done.bytes);
    CHECK(promised.reaped == done.reaped);
}

TEST_CASE("an entry that was deleted already is not counted") {
    const Scene scene;
    fs::remove_all(scene.root / "archive" / put(scene.bucket, "k", "12345").id());
    value(scene.bucket.remove("k"));
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.bytes == 0);
}
