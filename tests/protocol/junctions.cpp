// SPDX-License-Identifier: MIT
// Caches whose links are junctions, on a Linux that acts like Windows. A junction is not replaced
// by a rename: it is set again in its place. The kills between these steps are in crash.cpp.
// On Windows itself the same tests run with junctions of the system. Wine 10 has none.
#include <cerrno>
#include <memory>

#include "catch.hpp"
#include "os/file_info.hpp"
#include "os/link.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Returns where the key's junction leads.
std::string target_of(const JunctionScene& scene, const std::string& key) {
    const auto bucket = value(os::open_dir(keys_of(scene.root / "buckets" / "b")));
    const auto target = os::read_junction_at(bucket, key.c_str());
    return target ? *target : "";
}

/// Puts an entry in a process of its own, which is held at a point first.
std::unique_ptr<Child> putting(const JunctionScene& scene, const std::string& content,
                               const std::string& point) {
    auto child = std::make_unique<Child>(
        [&scene, content](Child&) { put(open_bucket(scene.root), "k", content); },
        Points{{point}, {}});
    child->wait_for(point);
    return child;
}

std::string kinds_of(const VerifyReport& report) {
    std::string kinds;
    for (const Finding& finding : report.findings)
        kinds += (kinds.empty() ? "" : ", ") + std::string(name_of(finding.kind));
    return kinds;
}

}  // namespace

TEST_CASE("a key is a junction to its entry, and is set again in its place", "[not-wine]") {
    const JunctionScene scene;
    CHECK(scene.cache.link_kind() == LinkKind::junction);
    const std::string first = put(scene.bucket, "k", "old").path().string();
    CHECK(target_of(scene, "k") == first);
    const fs::path link = keys_of(scene.root / "buckets" / "b") / "k";
    const auto before = value(os::stat_at(value(os::open_dir(link.parent_path())), "k"));
    const std::string second = put(scene.bucket, "k", "new").path().string();
    CHECK(target_of(scene, "k") == second);
    const auto after = value(os::stat_at(value(os::open_dir(link.parent_path())), "k"));
    CHECK(after.identity == before.identity);
    CHECK(content_of(scene.bucket, "k") == "new");
    CHECK(value(scene.cache.verify()).sound());
    require_no_leak(scene.root, 1);
    value(scene.bucket.remove("k"));
    require_no_leak(scene.root, 0);
}

TEST_CASE("no staging area keeps a link after a key was set again", "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "old");
    put(scene.bucket, "k", "new");
    for (const auto& area : fs::directory_iterator(scene.root / "staging"))
        CHECK(count_entries(area.path()) == 0);
    CHECK(count_entries(scene.root / "retired" / "links") == 1);
    CHECK(value(scene.cache.collect()).entries == 1);
}

TEST_CASE("a get never misses a key while it is set again", "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "0");
    Child reader([&](Child& self) {
        const Bucket bucket = open_bucket(scene.root);
        self.say("ready");
        for (int i = 0; i < 2000; ++i)
            Child::must(!content_of(bucket, "k").empty(), "a get has missed the key");
    });
    reader.wait_for("ready");
    for (int i = 1; i < 200; ++i) put(scene.bucket, "k", std::to_string(i));
    CHECK(reader.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("a publisher that was killed before or after the setting loses neither entry's name",
          "[not-wine]") {
    // What a collection must find out: whether a refresh has taken the key since.
    for (const std::string died_at : {"junction.opened", "junction.set"}) {
        for (const bool refreshed : {false, true}) {
            INFO("killed at " << died_at << (refreshed ? ", then refreshed" : ""));
            const JunctionScene scene;
            put(scene.bucket, "k", "old");
            Child victim([&](Child&) { put(open_bucket(scene.root), "k", "new"); },
                         {{}, {died_at}});
            REQUIRE(victim.join() == 128 + SIGKILL);
            if (refreshed) value(scene.bucket.refresh());
            CHECK(value(scene.cache.verify()).sound());
            const std::string expected = refreshed ? "" : died_at == "junction.set" ? "new" : "old";
            CHECK(content_of(scene.bucket, "k") == expected);
            require_no_leak(scene.root, refreshed ? 0 : 1);
            CHECK(content_of(scene.bucket, "k") == expected);
        }
    }
}

TEST_CASE("a live entry whose publisher has died stays while it is leased and after",
          "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "old");
    Child victim([&](Child&) { put(open_bucket(scene.root), "k", "new"); }, {{}, {"junction.set"}});
    REQUIRE(victim.join() == 128 + SIGKILL);
    {
        const auto lease = value(scene.bucket.get("k"));
        CHECK(value(scene.cache.collect()).entries == 1);
        CHECK(read_file(lease.path() / "f0") == "new");
    }
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a collection that cannot retire the links of a dead publisher deletes no live entry",
          "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "old");
    Child victim([&](Child&) { put(open_bucket(scene.root), "k", "new"); }, {{}, {"junction.set"}});
    REQUIRE(victim.join() == 128 + SIGKILL);
    {
        // The link to the old entry is retired, and there is no space for the other one.
        bool is_full = false;
        os::set_point_hook([&](const std::string& point) {
            is_full = is_full || point == "reap.link-one";
            return is_full && point == "os.noreplace" ? ENOSPC : 0;
        });
        const auto collected = scene.cache.collect();
        os::set_point_hook({});
        CHECK_FALSE(collected);
    }
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
    CHECK(content_of(scene.bucket, "k") == "new");
}

TEST_CASE("a key that is refreshed between its opening and its setting is the old bucket's",
          "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "old");
    const auto publisher = putting(scene, "new", "junction.opened");
    value(scene.bucket.refresh());
    publisher->go_on();
    CHECK(publisher->join() == 0);
    CHECK(content_of(scene.bucket, "k").empty());
    CHECK(value(scene.cache.verify()).sound());
    require_no_leak(scene.root, 0);
}

TEST_CASE("a key that is removed by pattern between its opening and its setting stays removed",
          "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "old");
    const auto publisher = putting(scene, "new", "junction.opened");
    RefreshOptions options;
    options.pattern = "k";
    CHECK(value(scene.bucket.refresh(options)) == 1);
    publisher->go_on();
    CHECK(publisher->join() == 0);
    CHECK(content_of(scene.bucket, "k").empty());
    CHECK(value(scene.cache.verify()).sound());
    require_no_leak(scene.root, 0);
}

TEST_CASE("a junction that is set after a collection has read it leaves the new entry a name",
          "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "old");
    const auto publisher = putting(scene, "new", "junction.opened");
    value(scene.bucket.refresh());
    Child collector([&](Child&) { (void)value(open_cache(scene.root).collect()); },
                    {{"collect.scanned"}, {}});
    collector.wait_for("collect.scanned");
    publisher->go_on();
    CHECK(publisher->join() == 0);
    collector.go_on();
    CHECK(collector.join() == 0);
    CHECK(value(scene.cache.verify()).sound());
    require_no_leak(scene.root, 0);
}

TEST_CASE("a setting that is refused leaves the old entry, and the next put works", "[not-wine]") {
    const JunctionScene scene;
    put(scene.bucket, "k", "old");
    {
        const FailingHere refused({{"os.set-junction", EACCES}});
        const auto failed = try_put(scene.bucket, "k", "new");
        REQUIRE_FALSE(failed);
        CHECK(std::string(failed.error().step) == "set junction");
    }
    CHECK(content_of(scene.bucket, "k") == "old");
    CHECK(value(scene.cache.verify()).sound());
    put(scene.bucket, "k", "new");
    require_no_leak(scene.root, 1);
    CHECK(content_of(scene.bucket, "k") == "new");
}

TEST_CASE("after its root was moved a cache serves its entries, and a repair sets its junctions",
          "[not-wine]") {
    JunctionScene scene;
    put(scene.bucket, "k", "one");
    put(scene.bucket, "other", "two");
    put(value(scene.cache.bucket("gone")), "k", "refreshed");
    value(value(scene.cache.bucket("gone")).refresh());
    const std::string old_target = target_of(scene, "k");
    const fs::path link = keys_of(scene.root / "buckets" / "b") / "k";
    const os::FileTime long_ago{.seconds = 1'000'000'000, .nanoseconds = 500};
    const fs::path root = scene.dir.path() / "a longer name than before";
    fs::rename(scene.root, root);
    scene.root = root;
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    CHECK(content_of(bucket, "k") == "one");
    CHECK(target_of(scene, "k") == old_target);
    CHECK(kinds_of(value(cache.verify())) ==
          "dangling, dangling, dangling");  // a pointer, two keys

    const auto keys = value(os::open_dir(keys_of(root / "buckets" / "b")));
    value(os::set_modified_at(keys, "k", long_ago));
    VerifyOptions repair;
    repair.repair = true;
    const auto report = value(cache.verify(repair));
    CHECK(kinds_of(report) == "dangling, dangling, dangling");
    for (const Finding& finding : report.findings) CHECK(finding.repaired);
    CHECK(report.live == 2);
    CHECK(target_of(scene, "k") == value(bucket.get("k")).path().string());
    CHECK(value(os::stat_at(keys, "k")).modified == long_ago);
    CHECK(value(cache.verify()).sound());
    CHECK(content_of(bucket, "other") == "two");
    require_no_leak(root, 2);
}

TEST_CASE("a put after the root was moved sets its key's junction to the new place", "[not-wine]") {
    JunctionScene scene;
    put(scene.bucket, "k", "old");
    const fs::path root = scene.dir.path() / "moved";
    fs::rename(scene.root, root);
    scene.root = root;
    const Bucket bucket = open_bucket(root);
    const std::string path = put(bucket, "k", "new").path().string();
    CHECK(target_of(scene, "k") == path);
    // The pointer of the bucket still leads to the old place.
    VerifyOptions repair;
    repair.repair = true;
    CHECK(kinds_of(value(open_cache(root).verify(repair))) == "dangling");
    require_no_leak(root, 1);
}

TEST_CASE("a repair passes over a key that was replaced since it was looked at", "[not-wine]") {
    const JunctionScene scene;
    const std::string id = put(scene.bucket, "k", "old").id();
    const auto keys = value(os::open_dir(keys_of(scene.root / "buckets" / "b")));
    value(os::set_junction(value(os::open_junction_at(keys, "k")),
                           value(os::junction_path_of(keys)) + "/archive/" + id + "/tree", "k"));
    CHECK(kinds_of(value(scene.cache.verify())) == "dangling");
    const auto publisher = putting(scene, "new", "replace.written-down");
    Child repairer(
        [&](Child&) {
            VerifyOptions repair;
            repair.repair = true;
            const auto report = value(open_cache(scene.root).verify(repair));
            Child::must(report.sound(), "the new link was taken for the old one");
        },
        {{"lock.waiting"}, {}});
    repairer.wait_for("lock.waiting");
    publisher->go_on();
    CHECK(publisher->join() == 0);
    do {
        repairer.go_on();
    } while (repairer.listen() == "lock.waiting");
    CHECK(repairer.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
}
