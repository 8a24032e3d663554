// SPDX-License-Identifier: MIT
// Races, step by step: a process is held at a point while others do the worst that they can. The
// outcome must be the protocol's.

#include <filesystem>
#include <set>

#include "catch.hpp"
#include "os/like_windows.hpp"
#include "protocol/key_link.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Gets "k", and says "got " and its content.
Child getter(const Scene& scene, const std::string& hold_at) {
    return Child(
        [&scene](Child& child) { child.say("got " + content_of(open_bucket(scene.root), "k")); },
        {{hold_at}, {}});
}

/// Collects, and says how many entries were deleted.
Child collector(const Scene& scene, const std::vector<std::string>& hold_at) {
    return Child(
        [&scene](Child& child) {
            child.say("collected " +
                      std::to_string(value(open_cache(scene.root).collect()).entries));
        },
        {hold_at, {}});
}

/// Puts "new" as "k" and says so. In the end it checks that the lease it got still holds.
Child publisher(const Scene& scene, const std::vector<std::string>& hold_at) {
    return Child(
        [&scene](Child& child) {
            const Lease lease = put(open_bucket(scene.root), "k", "new");
            child.say("published");
            child.hear();
            Child::must(content_of(lease) == "new", "the publisher's own entry has changed");
        },
        {hold_at, {}});
}

void put_here(const Scene& scene, const std::string& content) { put(scene.bucket, "k", content); }

}  // namespace

// ---- get ----

TEST_CASE("a get whose link is retired between its two reads is a miss") {
    // 1. G reads the link and stores the id
    // 2. a refresh, and a collection, which spares what the slot names
    // 3. G reads the link again: it is gone
    const Scene scene;
    put_here(scene, "old");
    Child get = getter(scene, "get.stored");
    get.wait_for("get.stored");
    value(scene.bucket.refresh());
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.leased.size() == 1);
    get.go_on();
    get.wait_for("got ");
    CHECK(get.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "a get without a lease whose entry is collected while it looks finds the entry that took its "
    "place, or a miss") {
    for (const bool replaced : {true, false}) {
        // 1. G reads the link
        // 2. the key is replaced or removed, and the entry is collected
        // 3. G looks at the entry
        const Scene scene;
        put_here(scene, "old");
        Child get(
            [&scene](Child& child) {
                OpenOptions options = test_options();
                options.read_only = true;
                child.say("got " + content_of(open_bucket(scene.root, options), "k"));
            },
            {{"get.unleased"}, {}});
        get.wait_for("get.unleased");
        replaced ? put_here(scene, "new") : value(scene.bucket.remove("k"));
        CHECK(value(scene.cache.collect()).entries == 1);
        if (replaced) {
            get.go_on();
            get.wait_for("get.unleased");  // once more, for the id that the link names now
        }
        get.go_on();
        get.wait_for(replaced ? "got new" : "got ");
        CHECK(get.join() == 0);
    }
}

TEST_CASE("a get whose link is replaced between its two reads leases the new entry") {
    for (const bool with_refresh : {false, true}) {
        const Scene scene;
        put_here(scene, "old");
        Child get = getter(scene, "get.stored");
        get.wait_for("get.stored");
        if (with_refresh) value(scene.bucket.refresh());
        put_here(scene, "new");
        (void)value(scene.cache.collect());
        go_on_until(get, "got new");
        CHECK(get.join() == 0);
        require_no_leak(scene.root, 1);
    }
}

// At its first get a process joins the cache after it has read the link and before it stores the
// id. "adopt.reaped" holds it there.

TEST_CASE(
    "a get whose entry is deleted before it stores the id is a miss, or leases the new entry") {
    // 1. G reads the link, and stores nothing yet
    // 2. a refresh, and a collection that deletes the entry; in one of two rounds a put
    // 3. G stores the id, too late, and reads the link again
    for (const std::string content : {"", "new"}) {
        const Scene scene;
        put_here(scene, "old");
        Child get = getter(scene, "adopt.reaped");
        get.wait_for("adopt.reaped");
        value(scene.bucket.refresh());
        CHECK(value(scene.cache.collect()).entries == 1);
        if (!content.empty()) put_here(scene, content);
        get.go_on();
        get.wait_for("got " + content);
        CHECK(get.join() == 0);
        require_no_leak(scene.root, content.empty() ? 0 : 1);
    }
}

TEST_CASE(
    "a get that stores the id after the collector has read the slots does not take the lease") {
    // 1. G reads the link, and stores nothing yet
    // 2. a remove
    // 3. C lists the link and reads the slots: no process has leased the entry
    // 4. G stores the id; the entry still exists, and G reads the link again: it is gone
    // 5. C deletes the entry
    const Scene scene;
    put_here(scene, "old");
    Child get = getter(scene, "adopt.reaped");
    get.wait_for("adopt.reaped");
    value(scene.bucket.remove("k"));
    Child collect = collector(scene, {"collect.scanned"});
    collect.wait_for("collect.scanned");
    get.go_on();
    get.wait_for("got ");
    collect.go_on();
    collect.wait_for("collected 1");
    CHECK(get.join() == 0);
    CHECK(collect.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE("an entry that is leased and then retired beside a collector stays") {
    // 1. C has flattened, or listed what is retired, or read the slots as well
    // 2. G leases the entry
    // 3. a remove
    // 4. C deletes what it has listed, and nothing else
    for (const std::string point : {"collect.flattened", "collect.listed", "collect.scanned"}) {
        INFO("collector held at " << point);
        const Scene scene;
        put_here(scene, "old");
        Child collect = collector(scene, {point});
        collect.wait_for(point);
        Lease lease = value(scene.bucket.get("k"));
        value(scene.bucket.remove("k"));
        collect.go_on();
        collect.wait_for("collected 0");
        CHECK(collect.join() == 0);
        CHECK(content_of(lease) == "old");
        lease.release();
        require_no_leak(scene.root, 0);
    }
}

TEST_CASE(
    "a lease that is held before its entry is retired holds off a collector that begins later") {
    const Scene scene;
    put_here(scene, "old");
    const Lease lease = value(scene.bucket.get("k"));
    value(scene.bucket.remove("k"));
    Child collect = collector(scene, {"collect.listed", "collect.scanned"});
    collect.wait_for("collect.listed");
    go_on_until(collect, "collected 0");
    CHECK(collect.join() == 0);
    CHECK(content_of(lease) == "old");
}

// ---- publish, held at each of its points, beside everything else ----

namespace {

enum class Other { collect, refresh, remove, replace };

/// 1. P publishes "new", over "old" or nothing, up to the point
/// 2. another process does its step, and collects
/// 3. P ends its publish; another collection
/// What comes later wins. The lease that P got holds, whatever became of the key.
void check_publish_beside(const std::string& old, const std::string& point, Other other) {
    INFO("publish over \"" << old << "\" held at " << point << " beside "
                           << static_cast<int>(other));
    const Scene scene;
    if (!old.empty()) put_here(scene, old);
    Child publish = publisher(scene, {point});
    publish.wait_for(point);
    const bool placed = point == "publish.placed" || point == "publish.retired";
    const bool has_bucket = !old.empty() || placed || point == "publish.before-placing-new";
    const bool locked = point == "publish.locked" || point == "publish.before-placing-new" ||
                        point == "publish.before-exchange";
    std::string wins = "new";
    switch (other) {
        case Other::collect:
            break;
        case Other::refresh:
            value(scene.bucket.refresh());
            if (placed) wins = "";
            break;
        case Other::remove:
            CHECK(outcome(open_hasty(scene.root).remove("k")) == (locked && has_bucket ? "busy"
                                                                  : placed || !old.empty()
                                                                      ? "ok"
                                                                      : "miss"));
            if (placed) wins = "";
            break;
        case Other::replace:
            // Where names cannot be exchanged, a publish that replaces has the lock alone.
            if (locked && !old.empty() && os::is_like_windows()) {
                CHECK(outcome(try_put(open_hasty(scene.root), "k", "other")) == "busy");
                break;
            }
            put_here(scene, "other");
            if (placed) wins = "other";
            break;
    }
    (void)value(scene.cache.collect());
    go_on_until(publish, "published");
    (void)value(scene.cache.collect());
    CHECK(content_of(scene.bucket, "k") == wins);
    publish.go_on();
    CHECK(publish.join() == 0);
    require_no_leak(scene.root, wins.empty() ? 0 : 1);
}

}  // namespace

TEST_CASE("a publish of a new key beside collect, refresh, remove and another publish") {
    for (const char* point :
         {"stage.linked", "stage.made", "publish.recorded", "publish.leased", "lock.past-gate",
          "publish.locked", "publish.before-placing-new", "publish.placed", "publish.retired"}) {
        for (const Other other : {Other::collect, Other::refresh, Other::remove, Other::replace})
            check_publish_beside("", point, other);
    }
}

TEST_CASE("a publish that replaces beside collect, refresh, remove and another publish") {
    for (const char* point :
         {"stage.linked", "stage.made", "publish.recorded", "publish.leased", "lock.past-gate",
          "publish.locked", "publish.before-exchange", "publish.placed", "publish.retired"}) {
        for (const Other other : {Other::collect, Other::refresh, Other::remove, Other::replace})
            check_publish_beside("old", point, other);
    }
}

TEST_CASE(
    "of two publishers that have both found the key missing, the later one wins, and both keep "
    "their leases") {
    const Scene scene;
    Child first = publisher(scene, {"publish.before-placing-new"}),
          second = publisher(scene, {"publish.before-placing-new"});
    first.wait_for("publish.before-placing-new");
    second.wait_for("publish.before-placing-new");
    go_on_until(first, "published");
    const std::string id = value(scene.bucket.info("k")).id;
    go_on_until(second, "published");
    CHECK(value(scene.bucket.info("k")).id != id);
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    for (Child* each : {&first, &second}) {
        each->go_on();
        CHECK(each->join() == 0);
    }
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "of two publishers that are about to exchange the same link, each gets back what it replaced",
    "[not-windows]") {  // which exchanges no names
    const Scene scene;
    put_here(scene, "old");
    Child first = publisher(scene, {"publish.before-exchange"}),
          second = publisher(scene, {"publish.before-exchange"});
    first.wait_for("publish.before-exchange");
    second.wait_for("publish.before-exchange");
    for (Child* each : {&first, &second}) go_on_until(*each, "published");
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    for (Child* each : {&first, &second}) {
        each->go_on();
        CHECK(each->join() == 0);
    }
    require_no_leak(scene.root, 1);
}

// A rename that looked its bucket up before a refresh moved it still lands in it afterwards. That
// instant is inside the kernel, where no process can be held. So the tests move the bucket back
// while the publish goes on and all others are held.

namespace {

fs::path only_entry(const fs::path& directory) {
    REQUIRE(count_entries(directory) == 1);
    return fs::directory_iterator(directory)->path();
}

void place_late(const Scene& scene, Child& publish, const fs::path& moved) {
    fs::rename(moved, scene.root / "buckets" / "b");
    publish.go_on();
    publish.wait_for("publish.placed");
    fs::rename(scene.root / "buckets" / "b", moved);
}

}  // namespace

TEST_CASE(
    "a publish that lands in a refreshed bucket before it is collected is garbage that its "
    "publisher leases",
    "[not-windows]") {  // which exchanges no names
    const Scene scene;
    put_here(scene, "old");
    Child publish = publisher(scene, {"publish.before-exchange", "publish.placed"});
    publish.wait_for("publish.before-exchange");
    value(scene.bucket.refresh());
    place_late(scene, publish, only_entry(scene.root / "retired" / "buckets"));
    CHECK(content_of(scene.bucket, "k") == "");
    go_on_until(publish, "published");
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 1);
    CHECK(report.leased.size() == 1);
    publish.go_on();
    CHECK(publish.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "a link that a late publish exchanges while its bucket is taken apart is read after it was "
    "renamed",
    "[not-windows]") {  // which exchanges no names
    // 1. P is about to exchange the link of "k"
    // 2. a refresh
    // 3. C meets "k" in the moved bucket, and has not renamed it
    // 4. P exchanges: "k" names the new entry now, and P has the old link
    // 5. C renames the link out of the bucket, and then reads it: it is P's
    // 6. P retires the old link
    const Scene scene;
    put_here(scene, "old");
    Child publish = publisher(scene, {"publish.before-exchange", "publish.placed"});
    publish.wait_for("publish.before-exchange");
    value(scene.bucket.refresh());
    const fs::path moved = only_entry(scene.root / "retired" / "buckets");
    Child collect = collector(scene, {"collect.flatten-one"});
    collect.wait_for("collect.flatten-one");
    place_late(scene, publish, moved);
    collect.go_on();
    collect.wait_for("collected 0");
    go_on_until(publish, "published");
    CHECK(collect.join() == 0);
    CHECK(count_entries(scene.root / "archive") == 2);
    publish.go_on();
    CHECK(publish.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "a late publish of a new key into a bucket that is being taken apart is left to the next "
    "collection") {
    const Scene scene;
    put(scene.bucket, "other", "old");
    Child publish = publisher(scene, {"publish.before-placing-new", "publish.placed"});
    publish.wait_for("publish.before-placing-new");
    value(scene.bucket.refresh());
    const fs::path moved = only_entry(scene.root / "retired" / "buckets");
    Child collect = collector(scene, {"collect.flatten-one"});
    collect.wait_for("collect.flatten-one");
    place_late(scene, publish, moved);
    // The collector's listing began before. Whether it shows the new key is the file system's
    // choice.
    go_on_until(collect, "collected 1");
    CHECK(collect.join() == 0);
    go_on_until(publish, "published");
    publish.go_on();
    CHECK(publish.join() == 0);
    require_no_leak(scene.root, 0);
}

// ---- remove, and what retires a link that leads nowhere ----

TEST_CASE("a remove that has checked its link keeps publishers out, and loses to a refresh") {
    // 1. R checks the link, under the bucket's lock
    // 2. a refresh, which needs no lock, carries the link off
    // 3. a put would place a link that R has not checked: it waits
    // 4. R finds no link to rename
    const Scene scene;
    put_here(scene, "old");
    Child remove(
        [&](Child& child) {
            child.say("removed: " + outcome(open_bucket(scene.root).remove("k")));
        },
        {{"remove.checked"}, {}});
    remove.wait_for("remove.checked");
    value(scene.bucket.refresh());
    const auto refused = try_put(open_hasty(scene.root), "k", "new");
    REQUIRE(outcome(refused) == "busy");
    CHECK(contains(refused.error().message(), "pid " + std::to_string(remove.pid())));
    remove.go_on();
    remove.wait_for("removed: miss");
    CHECK(remove.join() == 0);
    put_here(scene, "new");
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
}

namespace {

/// Makes "k" lead to an entry that does not exist, as in a cache that was copied in part.
void put_dangling(const Scene& scene) {
    std::string id;
    {
        const Lease lease = put(scene.bucket, "k", "old");
        id = lease.id();
    }
    fs::remove_all(scene.root / "archive" / id);
}

}  // namespace

TEST_CASE("a get that retires a dangling link never takes away what is published meanwhile") {
    // 1. G finds that the entry is missing, takes the bucket's lock, and checks that the link is
    //    still the same
    // 2. a put waits; a refresh and a get do not wait
    // 3. G retires the link
    for (const bool with_refresh : {false, true}) {
        const Scene scene;
        put_dangling(scene);
        Child get = getter(scene, "retire.checked");
        get.wait_for("retire.checked");
        CHECK(content_of(scene.bucket, "k") == "");
        if (with_refresh) value(scene.bucket.refresh());
        const auto refused = try_put(open_hasty(scene.root), "k", "new");
        REQUIRE(outcome(refused) == "busy");
        CHECK(contains(refused.error().message(), "pid " + std::to_string(get.pid())));
        get.go_on();
        get.wait_for("got ");
        CHECK(get.join() == 0);
        put_here(scene, "new");
        require_no_leak(scene.root, 1);
    }
}

TEST_CASE(
    "a get that finds a dangling link does not wait for a publisher, and leaves the link to it") {
    const Scene scene;
    put_dangling(scene);
    Child publish = publisher(scene, {"publish.before-exchange"});
    publish.wait_for("publish.before-exchange");
    CHECK(content_of(open_hasty(scene.root), "k") == "");
    CHECK(value(scene.bucket.keys()).size() == 1);
    go_on_until(publish, "published");
    CHECK(content_of(scene.bucket, "k") == "new");
    publish.go_on();
    CHECK(publish.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("a link is retired only if it still names the entry that was judged") {
    // 1. this process judges the entry that "k" names
    // 2. a put replaces it
    // 3. under the lock, this process finds another link than it judged
    const Scene scene;
    std::string judged;
    {
        const Lease lease = put(scene.bucket, "k", "old");
        judged = lease.id();
    }
    put_here(scene, "new");
    const auto root = value(cache::open_root(scene.root, test_options()));
    const std::string bucket = "b";
    const protocol::KeyRef place{bucket, bucket, "k", "b/k"},
        missing{bucket, bucket, "none", "b/none"};
    const cache::CallContext no_wait{};
    const format::Id id = *format::parse_id(judged),
                     now = *format::parse_id(value(scene.bucket.info("k")).id);
    CHECK_FALSE(value(protocol::retire_if(*root, place, id, no_wait)));
    CHECK_FALSE(value(protocol::retire_if_unlocked(*root, place, id)));
    CHECK_FALSE(value(protocol::retire_if(*root, missing, id, no_wait)));
    CHECK(content_of(scene.bucket, "k") == "new");

    // If the lock is taken, retire_if waits, and retire_if_unlocked does nothing.
    Child publish = publisher(scene, {"publish.before-exchange"});
    publish.wait_for("publish.before-exchange");
    CHECK(outcome(protocol::retire_if(*root, place, now, no_wait)) == "busy");
    CHECK_FALSE(value(protocol::retire_if_unlocked(*root, place, now)));
    go_on_until(publish, "published");
    CHECK_FALSE(value(protocol::retire_if(*root, place, now, no_wait)));
    CHECK(value(protocol::retire_if(*root, place,
                                    *format::parse_id(value(scene.bucket.info("k")).id), no_wait)));
    CHECK(content_of(scene.bucket, "k") == "");
    publish.go_on();
    CHECK(publish.join() == 0);
    require_no_leak(scene.root, 0);
}

// ---- refresh ----

TEST_CASE("a second refresh while the first one's bucket is taken apart") {
    const Scene scene;
    put_here(scene, "first");
    put(scene.bucket, "k2", "first");
    value(scene.bucket.refresh());
    Child collect = collector(scene, {"collect.flatten-one"});
    collect.wait_for("collect.flatten-one");
    put_here(scene, "second");
    CHECK(content_of(scene.bucket, "k") == "second");
    value(scene.bucket.refresh());
    CHECK(content_of(scene.bucket, "k") == "");
    put_here(scene, "third");
    std::string heard;
    do {
        collect.go_on();
        heard = collect.listen();
    } while (heard == "collect.flatten-one");
    CHECK(heard.starts_with("collected "));
    CHECK(collect.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "third");
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "of two refreshes at once the second finds nothing, or what came between, and neither fails") {
    const Scene scene;
    put_here(scene, "old");
    Child refresh([&](Child&) { value(open_bucket(scene.root).refresh()); },
                  {{"refresh.begun"}, {}});
    refresh.wait_for("refresh.begun");
    value(scene.bucket.refresh());
    refresh.go_on();
    CHECK(refresh.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "gone is gone: a process that knew the bucket gets nothing after a refresh or remove has "
    "returned") {
    for (const bool by_refresh : {false, true}) {
        const Scene scene;
        put_here(scene, "old");
        Child reader([&](Child& child) {
            const Bucket bucket = open_bucket(scene.root);
            Lease kept;
            for (int round = 0; round < 2; ++round) {
                auto lease = bucket.get("k");
                child.say("got " + (lease ? content_of(*lease) : outcome(lease)));
                if (lease) kept = std::move(*lease);
                child.hear();
            }
            Child::must(content_of(kept) == "old", "the lease that was taken before does not hold");
        });
        reader.wait_for("got old");
        if (by_refresh) {
            value(scene.bucket.refresh());
        } else {
            value(scene.bucket.remove("k"));
        }
        reader.go_on();
        reader.wait_for("got miss");
        reader.go_on();
        CHECK(reader.join() == 0);
        require_no_leak(scene.root, 0);
    }
}

TEST_CASE("never back: no id is drawn twice, in a process, its children, or theirs") {
    const Scene scene;
    std::set<std::string> ids;
    std::size_t drawn = 0;
    const auto draw = [&](const std::string& id) {
        ids.insert(id);
        ++drawn;
    };
    for (int i = 0; i < 3; ++i) draw(put(scene.bucket, "k", "x").id());
    for (int process = 0; process < 3; ++process) {
        Child child([&](Child& self) {
            for (int i = 0; i < 3; ++i) self.say(put(scene.bucket, "k", "x").id());
            Child grandchild([&](Child& other) { other.say(put(scene.bucket, "k", "x").id()); });
            self.say(grandchild.listen());
        });
        for (int i = 0; i < 4; ++i) draw(child.listen());
        CHECK(child.join() == 0);
        draw(put(scene.bucket, "k", "x").id());
    }
    CHECK(drawn == 18);
    CHECK(ids.size() == drawn);
    for (const auto& id : ids) CHECK(format::parse_id(id));
    require_no_leak(scene.root, 1);
}
