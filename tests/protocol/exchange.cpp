// SPDX-License-Identifier: MIT
// File systems that lack something: the exchange of two names, the rename that never replaces, the
// rename of a directory.

#include <cerrno>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

const Errors no_exchange = {{"os.exchange", EINVAL}};
const Errors no_flags = {{"os.exchange", EINVAL}, {"os.noreplace", EINVAL}};

/// Publishes "k" in a process in which renames lack their flags. Says "put: " and the outcome.
Child lacking(const Scene& scene, const Errors& errors, const std::string& content,
              const Points& points, bool hasty = false) {
    return Child([=, &scene](Child& child) {
        fail_at(child, errors, points);
        const auto lease =
            try_put(hasty ? open_hasty(scene.root) : open_bucket(scene.root), "k", content);
        child.say("put: " + outcome(lease));
        child.hear();
        Child::must(!lease || content_of(*lease) == content,
                    "the publisher's own entry has changed");
    });
}

}  // namespace

TEST_CASE(
    "put, replace, remove, refresh and collect without exchange and without a rename that never "
    "replaces") {
    for (const Errors& errors :
         {no_exchange, no_flags, Errors{{"os.exchange", ENOSYS}, {"os.noreplace", ENOSYS}}}) {
        const FailingHere failing(errors);
        const Scene scene;
        put(scene.bucket, "k", "one");
        CHECK(content_of(scene.bucket, "k") == "one");
        const Lease lease = value(scene.bucket.get("k"));
        put(scene.bucket, "k", "two");
        CHECK(content_of(scene.bucket, "k") == "two");
        put(scene.bucket, "k", "three");
        put(scene.bucket, "k2", "other");
        CHECK(content_of(scene.bucket, "k") == "three");
        CHECK(content_of(lease) == "one");
        CHECK(value(scene.cache.collect()).entries == 1);
        CHECK(content_of(lease) == "one");
        value(scene.bucket.remove("k"));
        CHECK(content_of(scene.bucket, "k") == "");
        value(scene.bucket.refresh());
        CHECK(content_of(scene.bucket, "k2") == "");
        put(scene.bucket, "k", "four");
        CHECK(value(scene.cache.verify()).findings.empty());
        CHECK(value(scene.cache.collect()).entries == 2);
        CHECK(content_of(lease) == "one");
    }
}

TEST_CASE("whatever refuses the exchange, the second way is tried, and its own error is told") {
    for (const int error : {EIO, EACCES, EPERM, EOVERFLOW, EXDEV, EDOM}) {
        const Scene scene;
        put(scene.bucket, "k", "old");
        {
            const FailingHere failing({{"os.exchange", error}});
            put(scene.bucket, "k", "new");
        }
        CHECK(content_of(scene.bucket, "k") == "new");
        require_no_leak(scene.root, 1);
        const FailingHere failing({{"os.exchange", error}, {replacing_point(), EXDEV}});
        const auto put_again = try_put(scene.bucket, "k", "third");
        REQUIRE_FALSE(put_again);
        CHECK(put_again.error().sys_errno == EXDEV);
    }
}

TEST_CASE("an exchange for which there is no space is an error, and nothing is lost") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    {
        const FailingHere failing({{"os.exchange", ENOSPC}});
        CHECK(outcome(try_put(scene.bucket, "k", "new")) == "no_space");
    }
    CHECK(content_of(scene.bucket, "k") == "old");
    put(scene.bucket, "k", "new");
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "without exchange: a put that is killed leaves the old entry or the new one, and no orphan") {
    struct Crash {
        std::string point, old, left;
    };
    for (const Errors& errors : {no_exchange, no_flags}) {
        for (const Crash& crash :
             {Crash{"publish.before-exchange", "old", "old"}, Crash{"lock.at-gate", "old", "old"},
              Crash{"replace.written-down", "old", "old"}, Crash{"replace.placed", "old", "new"},
              Crash{"publish.placed", "old", "new"}, Crash{"publish.retired", "old", "new"},
              Crash{"publish.before-placing-new", "", ""}, Crash{"publish.placed", "", "new"}}) {
            INFO("killed at " << crash.point << " over \"" << crash.old << "\"");
            const Scene scene;
            if (!crash.old.empty()) put(scene.bucket, "k", crash.old);
            Child victim = lacking(scene, errors, "new", {{}, {crash.point}});
            REQUIRE(victim.listen() == "");  // it was killed, and says no outcome
            REQUIRE(victim.join() == 128 + SIGKILL);
            CHECK(value(scene.cache.verify()).findings.empty());
            CHECK(content_of(scene.bucket, "k") == crash.left);
            require_no_leak(scene.root, crash.left.empty() ? 0 : 1);
        }
    }
}

TEST_CASE(
    "without exchange: a get finds the old entry until it finds the new one, and no other process "
    "publishes meanwhile") {
    // 1. P, without exchange, has written the old entry down, under the exclusive lock
    // 2. a get finds the old entry; a put, with or without exchange, waits; a refresh does not wait
    // 3. P places the new link
    for (const bool with_refresh : {false, true}) {
        const Scene scene;
        put(scene.bucket, "k", "old");
        Child publish =
            lacking(scene, no_exchange, "new", {{"replace.written-down", "replace.placed"}, {}});
        publish.wait_for("replace.written-down");
        CHECK(content_of(scene.bucket, "k") == "old");
        CHECK(value(scene.cache.verify()).findings.empty());
        const auto refused = try_put(open_hasty(scene.root), "k", "other");
        REQUIRE(outcome(refused) == "busy");
        CHECK(contains(refused.error().message(), "pid " + std::to_string(publish.pid())));
        Child second = lacking(scene, no_exchange, "other", {}, true);
        second.wait_for("put: busy");
        second.go_on();
        CHECK(second.join() == 0);
        if (with_refresh) value(scene.bucket.refresh());
        CHECK(value(scene.cache.collect()).entries == (with_refresh ? 1 : 0));
        publish.go_on();
        if (!with_refresh) {
            publish.wait_for("replace.placed");
            CHECK(content_of(scene.bucket, "k") == "new");
            CHECK(value(scene.cache.collect()).entries == 0);
            CHECK(value(scene.cache.verify()).findings.empty());
            publish.go_on();
        }
        publish.wait_for("put: ok");
        CHECK(content_of(scene.bucket, "k") == "new");
        publish.go_on();
        CHECK(publish.join() == 0);
        require_no_leak(scene.root, 1);
    }
}

TEST_CASE("without exchange: a refresh that comes between leaves two names, and then none") {
    // 1. P has renamed the new link over the key, and not yet retired the old one
    // 2. a refresh retires the new link, and the collection deletes nothing that P leases
    // 3. Q has written down what P has placed; a refresh carries that off; Q gives its own name up
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child publish = lacking(scene, no_exchange, "new", {{"replace.placed"}, {}});
    publish.wait_for("replace.placed");
    value(scene.bucket.refresh());
    CHECK(value(scene.cache.verify()).findings.empty());
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    publish.go_on();
    publish.wait_for("put: ok");
    publish.go_on();
    CHECK(publish.join() == 0);
    put(scene.bucket, "k", "newer");
    Child second = lacking(scene, no_exchange, "newest", {{"replace.written-down"}, {}});
    second.wait_for("replace.written-down");
    value(scene.bucket.refresh());
    second.kill();
    CHECK(value(scene.cache.verify()).findings.empty());
    require_no_leak(scene.root, 0);
}

TEST_CASE("without exchange: no get of a key that is only ever replaced misses") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    const auto replace = [&](Child& child, const Errors& errors) {
        fail_at(child, errors);
        const Bucket bucket = open_bucket(scene.root);
        child.say("ready");
        child.hear();
        for (int i = 0; i < 150; ++i) put(bucket, "k", "new");
        child.say("done");
    };
    Child a([&](Child&child) { replace(child, no_exchange); }),
        b([&](Child&child) { replace(child, no_flags); });
    const auto get = [&](Child& child) {
        const Bucket bucket = open_bucket(scene.root);
        int gets = 0;
        child.say("ready");
        child.hear();
        for (bool replaced = false; !replaced; ++gets) {
            replaced = fs::exists(scene.root.parent_path() / "end");
            Child::must(!content_of(bucket, "k").empty(),
                        "a miss after " + std::to_string(gets) + " gets");
        }
    };
    Child c(get), d(get);
    for (Child* each : {&a, &b, &c, &d}) each->wait_for("ready");
    for (Child* each : {&a, &b, &c, &d}) each->go_on();
    for (Child* each : {&a, &b}) {
        each->wait_for("done");
        CHECK(each->join() == 0);
    }
    write_file(scene.root.parent_path() / "end", "");
    for (Child* each : {&c, &d}) CHECK(each->join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "without exchange: a put whose rename is refused leaves the old entry, and nothing else") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    {
        const FailingHere failing({{"os.exchange", EINVAL}, {replacing_point(), EIO}});
        CHECK(why_of(try_put(scene.bucket, "k", "new")) == Why::io);
        CHECK(content_of(scene.bucket, "k") == "old");
        CHECK(value(scene.cache.verify()).findings.empty());
        CHECK(count_entries(scene.root / "archive") == 1);
    }
    require_no_leak(scene.root, 1);
}

TEST_CASE("a pair that an adopter reaps leaves no retired link to what is live") {
    // P has written the old entry down, or has also replaced it, and dies. A takes its table over.
    for (const std::string died_at : {"replace.written-down", "replace.placed"}) {
        INFO("died at " << died_at);
        const Scene scene;
        std::string old_id, live_id;
        Child before(
            [&](Child& child) { child.say(put(open_bucket(scene.root), "k", "old").id()); });
        old_id = before.listen();
        CHECK(before.join() == 0);
        Child dead = lacking(scene, no_exchange, "new", {{}, {died_at}});
        REQUIRE(dead.join() == 128 + SIGKILL);
        Child adopter([&](Child&) { (void)value(open_bucket(scene.root).stage()); });
        CHECK(adopter.join() == 0);
        CHECK(count_entries(scene.root / "staging" / "0") == 0);
        if (!links_are_junctions()) CHECK(count_entries(scene.root / "retired" / "links") == 1);
        CHECK(value(scene.cache.verify()).findings.empty());
        live_id = value(scene.bucket.info("k")).id;
        CHECK((live_id == old_id) == (died_at == "replace.written-down"));
        if (links_are_junctions()) continue;  // these are not settled by pairs
        // Even if no record tells which key the live entry has, it is not deleted.
        fs::remove(scene.root / "archive" / live_id / "record");
        CHECK(value(scene.cache.collect()).entries == 1);
        CHECK(fs::exists(scene.root / "archive" / live_id / "tree"));
    }
}

TEST_CASE("an `o-` that can't be settled keeps its pair, and the next reap settles both") {
    // P has written the old entry down, and dies. Then something stands there that can't be
    // unlinked.
    if (links_are_junctions()) return;  // these are not settled by pairs
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child dead = lacking(scene, no_exchange, "new", {{}, {"replace.written-down"}});
    REQUIRE(dead.join() == 128 + SIGKILL);
    std::vector<fs::path> left;
    for (const auto& area : fs::directory_iterator(scene.root / "staging"))
        for (const auto& link : fs::directory_iterator(area)) left.push_back(link.path());
    REQUIRE(left.size() == 2);
    std::sort(left.begin(), left.end());
    REQUIRE(left[0].filename().string().starts_with("l-"));
    REQUIRE(left[1].filename().string().starts_with("o-"));
    fs::remove(left[1]);
    fs::create_directory(left[1]);
    CHECK_FALSE(scene.cache.collect());
    CHECK(fs::exists(fs::symlink_status(left[0])));
    CHECK(content_of(scene.bucket, "k") == "old");
    fs::remove(left[1]);
    plant_link(scene.cache, left[1].parent_path(), left[1].filename().string(),
               value(scene.bucket.info("k")).id);
    CHECK(value(scene.cache.collect()).entries == 1);
    CHECK(fs::is_empty(left[1].parent_path()));
    CHECK(content_of(scene.bucket, "k") == "old");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a process without exchange waits for one that has it, and the other way around",
          "[not-windows]") {  // which never has it
    // 1. P, with exchange, is about to exchange, under the shared lock
    // 2. another process with exchange goes ahead; one without exchange waits
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child publish(
        [&](Child& child) {
            const Lease lease = put(open_bucket(scene.root), "k", "new");
            child.say("published");
            child.hear();
            Child::must(content_of(lease) == "new", "the publisher's own entry has changed");
        },
        {{"publish.before-exchange"}, {}});
    publish.wait_for("publish.before-exchange");
    Child without = lacking(scene, no_exchange, "other", {}, true);
    without.wait_for("put: busy");
    CHECK(outcome(try_put(open_hasty(scene.root), "k", "other")) == "ok");
    go_on_until(publish, "published");
    CHECK(content_of(scene.bucket, "k") == "new");
    for (Child* each : {&publish, &without}) {
        each->go_on();
        CHECK(each->join() == 0);
    }
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "processes with and without exchange on one key: no get ever sees a mixed tree, no lease is "
    "lost, nothing leaks") {
    const Scene scene;
    const auto churn = [&](Child& child, const Errors& errors, const std::string& content) {
        fail_at(child, errors);
        const Cache cache = open_cache(scene.root);
        const Bucket bucket = value(cache.bucket("b"));
        child.say("ready");
        child.hear();
        for (int i = 0; i < 30; ++i) {
            const Lease lease = put(bucket, "k", content + std::to_string(i));
            (void)content_of(bucket, "k");
            if (i % 7 == 3) (void)bucket.remove("k");
            if (i % 10 == 5) value(bucket.refresh());
            if (i % 5 == 4) (void)cache.collect();
            Child::must(content_of(lease) == content + std::to_string(i),
                        "a leased entry has changed");
        }
    };
    Child a([&](Child&child) { churn(child, {}, "a"); }),
        b([&](Child&child) { churn(child, no_exchange, "b"); }),
        c([&](Child&child) { churn(child, no_flags, "c"); });
    for (Child* each : {&a, &b, &c}) each->wait_for("ready");
    for (Child* each : {&a, &b, &c}) each->go_on();
    for (Child* each : {&a, &b, &c}) CHECK(each->join() == 0);
    require_no_leak(scene.root, content_of(scene.bucket, "k").empty() ? 0 : 1);
}

// ---- a directory that can't be renamed, as in a lower layer of overlayfs ----

TEST_CASE("refresh goes key by key if the bucket's directory can't be renamed") {
    const Scene scene;
    for (const char* key : {"k1", "k2", "k3"}) put(scene.bucket, key, key);
    const Lease lease = value(scene.bucket.get("k1"));
    {
        const FailingHere failing({{"refresh.rename", EXDEV}});
        value(scene.bucket.refresh());
        CHECK(value(scene.bucket.keys()).empty());
        value(scene.bucket.refresh());  // of an empty bucket
    }
    for (const char* key : {"k1", "k2", "k3"}) CHECK(content_of(scene.bucket, key) == "");
    CHECK(value(scene.cache.verify()).findings.empty());
    CHECK(value(scene.cache.collect()).entries == 2);
    CHECK(content_of(lease) == "k1");
    put(scene.bucket, "k1", "new");
    CHECK(content_of(scene.bucket, "k1") == "new");
}

TEST_CASE("a refresh key by key retires links that lead nowhere, and leaves foreign names alone") {
    const Scene scene;
    const std::string id = put(scene.bucket, "dangling", "x").id();
    fs::remove_all(scene.root / "archive" / id);
    fs::create_directory(keys_of(scene.root / "buckets" / "b") / "a-directory");
    write_file(keys_of(scene.root / "buckets" / "b") / "No key", "x");
    {
        const FailingHere failing({{"refresh.rename", EXDEV}});
        value(scene.bucket.refresh());
    }
    CHECK(value(scene.bucket.keys()).empty());
    CHECK(count_entries(keys_of(scene.root / "buckets" / "b")) == 2);
}

TEST_CASE("a refresh key by key that is killed has retired some keys, and the next one the rest") {
    const Scene scene;
    for (const char* key : {"k1", "k2", "k3"}) put(scene.bucket, key, key);
    Child victim([&](Child&) {
        const Bucket bucket = open_bucket(scene.root);
        int renames = 0;
        os::set_point_hook([&](const char* name) {
            if (std::string(name) == "refresh.rename") return EXDEV;
            if (std::string(name) == "os.noreplace" && ++renames == 3) ::kill(::getpid(), SIGKILL);
            return 0;
        });
        value(bucket.refresh());
    });
    REQUIRE(victim.join() == 128 + SIGKILL);
    CHECK(value(scene.bucket.keys()).size() == 1);
    CHECK(value(scene.cache.verify()).findings.empty());
    CHECK(value(scene.cache.collect()).entries == 2);
    const FailingHere failing({{"refresh.rename", EXDEV}});
    value(scene.bucket.refresh());
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "a refresh key by key beside publishers: what they place later stays, and what it took stays "
    "while it is leased") {
    // 1. P has read the old link, or found none
    // 2. refresh retires the keys one by one
    // 3. P looks again, and places its link
    for (const std::string old : {"", "old"}) {
        const Scene scene;
        put(scene.bucket, "other", "x");
        if (!old.empty()) put(scene.bucket, "k", old);
        const std::string point =
            old.empty() ? "publish.before-placing-new" : "publish.before-exchange";
        Child publish = lacking(scene, {}, "new", {{point}, {}});
        publish.wait_for(point);
        const FailingHere failing({{"refresh.rename", EXDEV}});
        value(scene.bucket.refresh());
        (void)value(scene.cache.collect());
        go_on_until(publish, "put: ok");
        CHECK(content_of(scene.bucket, "k") == "new");
        value(scene.bucket.refresh());
        (void)value(scene.cache.collect());
        publish.go_on();
        CHECK(publish.join() == 0);
        require_no_leak(scene.root, 0);
    }
}

TEST_CASE("renames to a key that always answer as if the key had come or gone end a publish") {
    for (const int error : {EEXIST, ENOENT}) {
        for (const std::string old : {"", "old"}) {
            INFO(error << " over \"" << old << "\"");
            if (links_are_junctions() && error == EEXIST && !old.empty()) continue;  // no rename
            const Scene scene;
            if (!old.empty()) put(scene.bucket, "k", old);
            bool is_locked = false;
            os::set_point_hook([&](const std::string& point) {
                if (point == "publish.locked") is_locked = true;
                if (point == "publish.placed") is_locked = false;
                const bool renames = point == "os.exchange" || point == "os.noreplace" ||
                                     point == "os.rename" || point == replacing_point();
                return is_locked && renames ? error : 0;
            });
            const auto published = try_put(scene.bucket, "k", "new");
            os::set_point_hook({});
            REQUIRE_FALSE(published);
            INFO(published.error().message());
            CHECK(outcome(published) == "unsupported");
            CHECK(published.error().message().find("cachetool doctor") != std::string::npos);
            // The lock is free, and the key can be published.
            put(open_hasty(scene.root), "k", "next");
            CHECK(content_of(scene.bucket, "k") == "next");
            CHECK(value(scene.cache.verify()).sound());
        }
    }
}

TEST_CASE("the making of a cache ends if its format is gone at each renaming") {
    const TempDir dir;
    bool is_made = false;
    os::set_point_hook([&](const std::string& point) {
        if (point == "open.format") is_made = true;
        return is_made && point == "os.noreplace" ? ENOENT : 0;
    });
    const auto opened = Cache::open(dir.path() / "cache", test_options());
    os::set_point_hook({});
    REQUIRE_FALSE(opened);
    INFO(opened.error().message());
    CHECK(opened.error().message().find("cachetool doctor") != std::string::npos);
    CHECK(content_of(put(open_bucket(dir.path() / "cache"), "k", "text")) == "text");
}

TEST_CASE("an entry stays listed if the system denies that it is there, and so can be collected") {
    const Scene scene;
    put(scene.bucket, "k", "text");
    value(scene.bucket.remove("k"));
    {
        const FailingHere failing({{"deleting.rename", ENOENT}});
        CHECK(why_of(scene.cache.collect()) == Why::absent);
    }
    CHECK(value(scene.cache.verify()).findings.empty());
    CHECK(value(scene.cache.collect()).entries == 1);
    require_no_leak(scene.root, 0);
}

TEST_CASE("a refresh retires the keys of a bucket of which the system denies that it is there") {
    const Scene scene;
    put(scene.bucket, "k", "text");
    {
        const FailingHere failing({{"refresh.rename", ENOENT}});
        value(scene.bucket.refresh());
    }
    CHECK(content_of(scene.bucket, "k").empty());
    CHECK(value(scene.cache.collect()).entries == 1);
    require_no_leak(scene.root, 0);
}

TEST_CASE("a link that the system shows and denies to each rename is no key that is gone") {
    const Scene scene;
    put(scene.bucket, "k", "text");
    put(scene.bucket, "l", "more");
    {
        const FailingHere failing({{"os.noreplace", ENOENT}, {"os.rename", ENOENT}});
        CHECK(outcome(scene.bucket.remove("k")) == "unsupported");
        CHECK(outcome(scene.bucket.refresh({.pattern = "k*"})) == "unsupported");
        CHECK(outcome(scene.cache.collect({.max_entries = 0})) == "unsupported");
    }
    CHECK(content_of(scene.bucket, "k") == "text");
    CHECK(value(scene.cache.verify()).findings.empty());
    // If it was denied once, the rename is made again.
    int denied = 1;
    os::set_point_hook([&](const std::string& point) {
        return point == "os.noreplace" && denied-- > 0 ? ENOENT : 0;
    });
    const auto removed = scene.bucket.remove("k");
    os::set_point_hook({});
    CHECK(outcome(removed) == "ok");
    CHECK(content_of(scene.bucket, "k").empty());
    value(scene.bucket.refresh());
    CHECK(value(scene.cache.collect()).entries == 2);
    require_no_leak(scene.root, 0);
}
