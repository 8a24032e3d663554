// SPDX-License-Identifier: MIT
// Restore: a retired entry comes back under a new id, until it is collected. Also refreshes of some
// keys.

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

std::vector<std::string> keys_of(const Bucket& bucket) {
    auto keys = value(bucket.keys());
    std::sort(keys.begin(), keys.end());
    return keys;
}

using Keys = std::vector<std::string>;

/// Returns the keys of what is retired.
Keys retired_keys(const Cache& cache) {
    Keys keys;
    for (const auto& entry : value(cache.trash())) keys.push_back(entry.key);
    std::sort(keys.begin(), keys.end());
    return keys;
}

std::string id_of_retired(const Cache& cache, const std::string& key) {
    for (const auto& entry : value(cache.trash())) {
        if (entry.key == key) return entry.id;
    }
    throw std::runtime_error("nothing retired has the key " + key);
}

}  // namespace

TEST_CASE(
    "an entry that was removed, replaced or refreshed is listed, and can be restored, until it is "
    "collected") {
    const Scene scene;
    const std::string long_key(1000, 'k');
    put(scene.bucket, "removed", "1");
    put(scene.bucket, "replaced", "2");
    put(scene.bucket, "replaced", "3");
    put(scene.bucket, long_key, "4");
    value(scene.bucket.remove("removed"));
    CHECK(retired_keys(scene.cache) == Keys{"removed", "replaced"});
    value(scene.bucket.refresh());
    CHECK(retired_keys(scene.cache) == Keys{long_key, "removed", "replaced", "replaced"});
    CHECK(value(scene.bucket.keys()).empty());

    for (const std::string& key : {std::string("removed"), long_key}) {
        const std::string id = id_of_retired(scene.cache, key);
        const Lease lease = value(scene.cache.restore(id));
        CHECK(lease.id() != id);  // never back (invariant 3)
        CHECK(content_of(lease) == (key == "removed" ? "1" : "4"));
        CHECK(value(scene.bucket.info(key)).id == lease.id());
        CHECK(value(scene.cache.verify()).sound());
    }
    CHECK(value(scene.cache.collect()).entries == 4);
    CHECK(value(scene.cache.trash()).empty());
    CHECK(content_of(scene.bucket, "removed") == "1");
    CHECK(content_of(scene.bucket, long_key) == "4");
    require_no_leak(scene.root, 2);
}

TEST_CASE(
    "only a retired id can be restored, and a key that has an entry is not replaced unless that is "
    "allowed") {
    const Scene scene;
    const std::string live = put(scene.bucket, "k", "old").id();
    CHECK(outcome(scene.cache.restore("../../k")) == "invalid");
    CHECK(outcome(scene.cache.restore("")) == "invalid");
    CHECK(outcome(scene.cache.restore(live)) == "miss");
    CHECK(outcome(scene.cache.restore(fresh_name())) == "miss");
    put(scene.bucket, "k", "new");
    CHECK(outcome(scene.cache.restore(live)) == "exists");
    CHECK(content_of(scene.bucket, "k") == "new");
    CHECK(content_of(value(scene.cache.restore(live, {.replace = true}))) == "old");
    CHECK(content_of(scene.bucket, "k") == "old");
    (void)value(scene.cache.collect());
    CHECK(outcome(scene.cache.restore(live, {.replace = true})) == "miss");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a restore beside a collection: one of them gives way, and a kill leaves no leak") {
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "x").id();
    value(scene.bucket.remove("k"));
    {
        Child restorer([&](Child&) { (void)value(open_cache(scene.root).restore(id)); },
                       {{"restore.filled"}, {}});
        restorer.wait_for("restore.filled");
        CHECK(outcome(scene.cache.collect()) == "busy");
        CHECK(outcome(scene.cache.restore(id)) == "busy");
        restorer.kill();
    }
    CHECK(outcome(scene.bucket.get("k")) == "miss");
    CHECK(retired_keys(scene.cache) == Keys{"k"});
    {
        Child collector([&](Child&) { (void)value(open_cache(scene.root).collect()); },
                        {{"collect.listed"}, {}});
        collector.wait_for("collect.listed");
        CHECK(outcome(scene.cache.restore(id)) == "busy");
        collector.go_on();
        CHECK(collector.join() == 0);
    }
    CHECK(outcome(scene.cache.restore(id)) == "miss");
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "an entry that is retired and leased can be restored; both copies are whole and independent") {
    const Scene scene;
    const Lease old = put(scene.bucket, "k", "x");
    value(scene.bucket.remove("k"));
    const Lease back = value(scene.cache.restore(old.id()));
    CHECK(content_of(old) == "x");
    CHECK(content_of(back) == "x");
    CHECK(old.path() != back.path());
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    CHECK(content_of(old) == "x");
}

TEST_CASE("one restore after the other finds each link, wherever it stands by then") {
    const Scene scene;
    std::map<std::string, std::string> ids;
    const auto put_and_remove = [&](const std::string& key) {
        ids[key] = put(scene.bucket, key, key).id();
        value(scene.bucket.remove(key));
    };
    const auto link_to = [&](const std::string& key) {
        const fs::path links = scene.root / "retired" / "links";
        const auto dir = value(os::open_dir(links));
        for (const auto& each : fs::directory_iterator(links)) {
            const std::string name = each.path().filename().string();
            if (value(format::read_link(scene.cache.link_kind(), dir, name))
                    .names(*format::parse_id(ids[key])))
                return each.path();
        }
        throw std::runtime_error("no retired link names " + key);
    };
    const auto restored = [&](const std::string& key) {
        return content_of(value(scene.cache.restore(ids[key])));
    };
    for (const char* key : {"1", "2", "seen", "renamed", "unlinked"}) put_and_remove(key);
    // The second restore remembers where all links stand.
    for (const char* key : {"1", "2", "seen"}) CHECK(restored(key) == key);
    fs::rename(link_to("renamed"), scene.root / "retired" / "links" / fresh_name());
    CHECK(restored("renamed") == "renamed");
    fs::remove(link_to("unlinked"));
    CHECK(outcome(scene.cache.restore(ids["unlinked"])) == "miss");
    put_and_remove("later");
    CHECK(restored("later") == "later");
    ids["with the bucket"] = put(scene.bucket, "with the bucket", "with the bucket").id();
    value(scene.bucket.refresh());
    CHECK(restored("with the bucket") == "with the bucket");
    CHECK(keys_of(scene.bucket) == Keys{"with the bucket"});
}

TEST_CASE("a refresh by pattern takes the keys that fit, and no others") {
    const Scene scene;
    for (const char* key : {"numpy-1", "numpy-2", "black-1", "dir/numpy-3"})
        put(scene.bucket, key, "x");
    const std::string long_key = "numpy-" + std::string(1000, 'k');
    put(scene.bucket, long_key, "x");
    Keys taken;
    RefreshOptions options{.pattern = "numpy-*", .dry_run = true};
    options.on_taken = [&](const std::string& key) { taken.push_back(key); };
    CHECK(value(scene.bucket.refresh(options)) == 3);
    CHECK(keys_of(scene.bucket).size() == 5);
    options.dry_run = false;
    CHECK(value(scene.bucket.refresh(options)) == 3);
    std::sort(taken.begin(), taken.end());
    CHECK(taken == Keys{"numpy-1", "numpy-1", "numpy-2", "numpy-2", long_key, long_key});
    CHECK(keys_of(scene.bucket) == Keys{"black-1", "dir/numpy-3"});
    CHECK(value(scene.bucket.refresh(options)) == 0);
    CHECK(value(value(scene.cache.bucket("none")).refresh(options)) == 0);
    CHECK(value(scene.bucket.refresh({.pattern = "*numpy*"})) == 1);
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "a refresh by age takes what was published before, and nothing that is published meanwhile") {
    const Scene scene;
    put(scene.bucket, "old", "x");
    put(scene.bucket, "replaced", "x");
    const auto then = std::chrono::system_clock::now();
    put(scene.bucket, "new", "x");
    CHECK(value(scene.bucket.refresh({.pattern = "n*", .published_before = then})) == 0);
    Child refresher(
        [&](Child& child) {
            child.say("took " + std::to_string(value(
                                    open_bucket(scene.root).refresh({.published_before = then}))));
        },
        {{"retire.checked"}, {}});
    refresher.wait_for("retire.checked");
    refresher.kill();
    CHECK(keys_of(scene.bucket).size() == 3);
    put(scene.bucket, "replaced", "y");
    CHECK(value(scene.bucket.refresh({.published_before = then})) == 1);
    CHECK(keys_of(scene.bucket) == Keys{"new", "replaced"});
    require_no_leak(scene.root, 2);
}

TEST_CASE(
    "a refresh by pattern never waits; one by age waits for a lock, within its limit, and names "
    "the holder") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    Child publisher([&](Child&) { put(open_bucket(scene.root), "other", "x"); },
                    {{"publish.locked"}, {}});
    publisher.wait_for("publish.locked");
    publisher.stop();
    const Bucket hasty = open_hasty(scene.root);
    const auto refused = hasty.refresh({.published_before = std::chrono::system_clock::now() + 1h});
    CHECK(outcome(refused) == "busy");
    CHECK(contains(refused.error().message(), "pid " + std::to_string(publisher.pid())));
    CHECK(value(hasty.refresh({.pattern = "k"})) == 1);
    CHECK(outcome(hasty.get("k")) == "miss");
    publisher.resume();
    publisher.go_on();
    CHECK(publisher.join() == 0);
}

TEST_CASE("a restore does not undo a put that came while it copied, unless it may replace") {
    for (const bool replace : {false, true}) {
        const Scene scene;
        const std::string id = put(scene.bucket, "k", "old").id();
        value(scene.bucket.remove("k"));
        Child restorer(
            [&](Child& child) {
                child.say(outcome(open_cache(scene.root).restore(id, {.replace = replace})));
            },
            {{"restore.filled"}, {}});
        restorer.wait_for("restore.filled");
        put(scene.bucket, "k", "new");
        restorer.go_on();
        CHECK(restorer.listen() == (replace ? "ok" : "exists"));
        CHECK(restorer.join() == 0);
        CHECK(content_of(scene.bucket, "k") == (replace ? "old" : "new"));
        require_no_leak(scene.root, 1);
    }
}

TEST_CASE("a refresh by age takes a malformed link, and not the entry that is put in its place") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    const auto link = keys_of(scene.root / "buckets" / "b") / "k";
    const auto spoil = [&] {
        fs::remove(link);
        plant_text(scene.cache, link, "nonsense");
    };
    spoil();
    RefreshOptions options;
    options.published_before = std::chrono::system_clock::now() - 1h;
    // A put comes before it has the lock.
    Child refresher(
        [&](Child& child) {
            child.say("took " + std::to_string(value(open_bucket(scene.root).refresh(options))));
        },
        {{"lock.at-gate"}, {}});
    refresher.wait_for("lock.at-gate");
    CHECK(outcome(open_hasty(scene.root).get("k")) == "miss");
    fs::remove(link);
    Child publisher([&](Child&) { put(open_bucket(scene.root), "k", "new"); });
    refresher.go_on();
    const auto took = refresher.listen();
    CHECK(refresher.join() == 0);
    CHECK(publisher.join() == 0);
    CHECK(took == "took 0");
    CHECK(content_of(scene.bucket, "k") == "new");
    spoil();
    CHECK(value(scene.bucket.refresh(options)) == 1);
}

TEST_CASE("a copy that has lost a file before it is published is not restored") {
    // A file system that only pretends to lock lets another process delete the source meanwhile.
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "text").id();
    value(scene.bucket.remove("k"));
    os::set_point_hook([&](const std::string& point) {
        if (point != "restore.filled") return 0;
        for (const auto& entry : fs::directory_iterator(scene.root / "archive"))
            if (entry.path().filename() != id) fs::remove(entry.path() / "tree" / "f0");
        return 0;
    });
    const auto restored = scene.cache.restore(id);
    os::set_point_hook({});
    CHECK(outcome(restored) == "damaged");
    CHECK(content_of(scene.bucket, "k").empty());
    CHECK(count_entries(scene.root / "archive") == 1);
    CHECK(value(scene.cache.restore(id)).id() != id);
    CHECK(content_of(scene.bucket, "k") == "text");
}
