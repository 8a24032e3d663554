// SPDX-License-Identifier: MIT
// Locks whose names have one hash: two buckets, two keys, a key and a bucket. They wait for each
// other, and nothing else happens. Processes in which `lock.hash` is set have only so many hashes.

#include <chrono>
#include <future>
#include <mutex>

#include "cache/locks.hpp"
#include "catch.hpp"
#include "format/lock_bytes.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using cache::BucketLock;

namespace {

/// While it lives, this process has only so many hashes of locks.
class FewHashes {
public:
    explicit FewHashes(int hashes) {
        os::set_point_hook(
            [hashes](const char* name) { return name == std::string("lock.hash") ? hashes : 0; });
    }
    FewHashes(const FewHashes&) = delete;
    ~FewHashes() { os::set_point_hook({}); }
};

/// In a child: does the same, and holds it at these points.
void have_few_hashes(Child& child, int hashes, const std::vector<std::string>& hold_at = {}) {
    fail_at(child, {{"lock.hash", hashes}}, {hold_at, {}});
}

/// Returns options by which no wait lasts.
OpenOptions hasty() {
    OpenOptions options = test_options();
    options.lock_timeout = {};
    options.build_timeout = {};
    return options;
}

Bucket::Build content(const std::string& text) {
    return [text](Staging& stage) -> Result<> {
        fill(stage.path(), text);
        return {};
    };
}

bool waits(const Cache& cache, const std::string& what) {
    for (const auto& lock : value(cache.status()).locks) {
        if (lock.waiting && lock.what == what) return true;
    }
    return false;
}

cache::CallContext no_patience() {
    std::stop_source source;
    source.request_stop();
    return {std::chrono::minutes(10), std::chrono::minutes(10), source.get_token(), {}};
}

}  // namespace

TEST_CASE("two buckets with one hash exclude each other, and nothing else happens") {
    // 1. R holds the lock of "other", to remove a key there
    // 2. a put and a remove in "b" have to wait for R, and everything else goes on
    const Scene scene;
    const FewHashes all_collide(1);
    put(value(scene.cache.bucket("other")), "doomed", "old");
    put(scene.bucket, "k", "old");
    Child remover([&](Child& child) {
        have_few_hashes(child, 1, {"remove.checked"});
        value(value(open_cache(scene.root).bucket("other")).remove("doomed"));
    });
    remover.wait_for("remove.checked");
    const Cache cache = open_cache(scene.root, hasty());
    const Bucket bucket = value(cache.bucket("b"));
    const auto refused = try_put(bucket, "k", "new");
    REQUIRE(outcome(refused) == "busy");
    CHECK(contains(refused.error().message(), "pid " + std::to_string(remover.pid()) + " ("));
    CHECK(outcome(bucket.remove("k")) == "busy");
    CHECK(content_of(bucket, "k") == "old");
    CHECK(outcome(bucket.refresh()) == "ok");
    CHECK(outcome(cache.collect()) == "ok");
    remover.go_on();
    CHECK(remover.join() == 0);
    CHECK(outcome(try_put(bucket, "k", "new")) == "ok");
    CHECK(outcome(value(cache.bucket("other")).get("doomed")) == "miss");
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "buckets that share a lock share the gate: publishers of one keep no remove of another out") {
    // 1. this process shares the lock of "b"
    // 2. R wants the lock of another bucket, which is the same byte, and has taken the gate
    // 3. a process that wants to share the lock of "b" has to wait for R
    const Scene scene;
    constexpr int hashes = 64;
    const FewHashes few(hashes);
    const auto bytes = format::bucket_bytes("b");
    std::string other;
    for (int i = 0; other.empty(); ++i) {
        const std::string name = "other-" + std::to_string(i);
        if (format::bucket_bytes(name).lock == bytes.lock) other = name;
    }
    const auto root = value(cache::open_root(scene.root, test_options()));
    std::optional sharer = value(BucketLock::shared(*root, "b", no_patience()));
    Child remover([&](Child& child) {
        have_few_hashes(child, hashes, {"lock.at-gate"});
        const auto own = value(cache::open_root(scene.root, test_options()));
        const cache::CallContext patient{
            std::chrono::minutes(10), std::chrono::minutes(10), {}, {}};
        const auto held = value(BucketLock::exclusive(*own, other, patient));
        child.say("got it");
        child.hear();
    });
    remover.wait_for("lock.at-gate");
    CHECK(outcome(BucketLock::shared(*root, "b", no_patience())) == "interrupted");
    sharer.reset();
    remover.go_on();
    remover.wait_for("got it");
    CHECK(outcome(BucketLock::shared(*root, "b", no_patience())) == "interrupted");
    remover.go_on();
    CHECK(remover.join() == 0);
    CHECK(outcome(BucketLock::shared(*root, "b", no_patience())) == "ok");
}

TEST_CASE("a builder's byte is never the one of the bucket in which it publishes") {
    const Scene scene;
    const FewHashes all_collide(1);
    const Bucket bucket = open_bucket(scene.root, hasty());
    CHECK(outcome(bucket.get_or_build("b", content("built"))) == "ok");
    CHECK(outcome(bucket.get_or_build("k", [&](Staging& stage) -> Result<> {
              fill(stage.path(), "built");
              value(bucket.remove("b"));  // takes the gate and the lock exclusively
              return {};
          })) == "ok");
    CHECK(outcome(open_cache(scene.root).collect()) == "ok");
    require_no_leak(scene.root, 1);
}

TEST_CASE("two keys with one hash: one is built while the other one waits, and both are built") {
    const Scene scene;
    const FewHashes all_collide(1);
    Child builder([&](Child& child) {
        have_few_hashes(child, 1, {"build.filled"});
        (void)value(open_bucket(scene.root).get_or_build("k1", content("one")));
    });
    builder.wait_for("build.filled");
    Child waiter([&](Child& child) {
        have_few_hashes(child, 1);
        (void)value(open_bucket(scene.root).get_or_build("k2", content("two")));
    });
    eventually("it waits", [&] { return waits(scene.cache, "build k2"); });
    CHECK(outcome(scene.bucket.get("k2")) == "miss");
    builder.go_on();
    CHECK(builder.join() == 0);
    CHECK(waiter.join() == 0);
    CHECK(content_of(scene.bucket, "k1") == "one");
    CHECK(content_of(scene.bucket, "k2") == "two");
    require_no_leak(scene.root, 2);
}

TEST_CASE("a build that needs a key with the hash of its own builds that, and does not wait") {
    const Scene scene;
    const FewHashes all_collide(1);
    std::mutex mutex;
    std::vector<std::string> waited;
    OpenOptions options = test_options();
    options.on_event = [&](const Event& event) {
        const std::lock_guard guard(mutex);
        if (event.kind == Event::Kind::waited || event.kind == Event::Kind::gave_up)
            waited.emplace_back(event.what);
    };
    const Bucket bucket = open_bucket(scene.root, options);
    std::string own, own_inside;
    const auto lease = bucket.get_or_build("k1", [&](Staging& stage) -> Result<> {
        own = outcome(bucket.get_or_build("k1", content("again")));
        const auto needed = bucket.get_or_build("k2", [&](Staging& inner) -> Result<> {
            own_inside = outcome(bucket.get_or_build("k2", content("again")));
            // Others see both builds, and one thread that has both.
            const auto locks = value(scene.cache.status()).locks;
            CHECK(locks.size() == 2);
            for (const auto& lock : locks) CHECK_FALSE(lock.waiting);
            Child other([&](Child& child) {
                have_few_hashes(child, 1);
                const Bucket mine = open_bucket(scene.root, hasty());
                // The byte is taken: these are built without the lock, for a wait may not last.
                child.say(outcome(mine.get_or_build("k3", content("three"))));
            });
            other.wait_for("ok");
            CHECK(other.join() == 0);
            fill(inner.path(), "two");
            return {};
        });
        if (!needed) return tl::make_unexpected(needed.error());
        fill(stage.path(), "one");
        return {};
    });
    CHECK(outcome(lease) == "ok");
    CHECK(own == "invalid");
    CHECK(own_inside == "invalid");
    CHECK(waited.empty());
    CHECK(content_of(scene.bucket, "k2") == "two");
    CHECK(value(scene.cache.status()).locks.empty());
    require_no_leak(scene.root, 3);
}

TEST_CASE("a process that a build has forked builds a key with the build's own hash") {
    const Scene scene;
    const FewHashes all_collide(1);
    const auto lease = scene.bucket.get_or_build("k1", [&](Staging& stage) -> Result<> {
        fill(stage.path(), "one");
        Child child([&](Child& self) {
            have_few_hashes(self, 1);
            const Bucket mine = open_bucket(scene.root);
            std::string own;
            self.say(outcome(mine.get_or_build("k2", [&](Staging& inner) -> Result<> {
                own = outcome(mine.get_or_build("k1", content("again")));
                fill(inner.path(), "two");
                return {};
            })));
            self.say(own);
        });
        child.wait_for("ok");
        child.wait_for("invalid");
        CHECK(child.join() == 0);
        return {};
    });
    CHECK(outcome(lease) == "ok");
    CHECK(content_of(scene.bucket, "k2") == "two");
    require_no_leak(scene.root, 2);
}

TEST_CASE("whether a byte is a thread's own is known by the thread, and not by the process") {
    // 1. one thread builds "k1"
    // 2. another thread of the process wants "k2", which has the same byte: it waits
    const Scene scene;
    const FewHashes all_collide(1);
    std::future<std::string> other;
    std::atomic<bool> built{false};
    const auto lease = scene.bucket.get_or_build("k1", [&](Staging& stage) -> Result<> {
        fill(stage.path(), "one");
        other = std::async(std::launch::async, [&] {
            return outcome(scene.bucket.get_or_build("k2", [&](Staging& inner) -> Result<> {
                built = true;
                fill(inner.path(), "two");
                return {};
            }));
        });
        eventually("it waits", [&] { return built || waits(scene.cache, "build k2"); });
        CHECK_FALSE(built);
        return {};
    });
    CHECK(outcome(lease) == "ok");
    CHECK(other.get() == "ok");
    CHECK(built);
    require_no_leak(scene.root, 2);
}

TEST_CASE("a builder keeps its lock while its process takes and releases every other one") {
    // All of them are bytes of one file, which is opened and closed meanwhile.
    const Scene scene;
    Child builder([&](Child& child) {
        const Cache cache = open_cache(scene.root);
        const Bucket bucket = value(cache.bucket("b"));
        (void)value(bucket.get_or_build("k", [&](Staging& stage) -> Result<> {
            put(bucket, "other", "old");
            value(bucket.remove("other"));
            (void)value(cache.collect());
            (void)value(cache.verify());
            (void)value(bucket.get_or_build("needed", content("needed")));
            child.say("builds");
            child.hear();
            fill(stage.path(), "built");
            return {};
        }));
    });
    builder.wait_for("builds");
    Child waiter([&](Child&) {
        const Lease lease =
            value(open_bucket(scene.root).get_or_build("k", content("built twice")));
        Child::must(content_of(lease) == "built", "built twice");
    });
    eventually("it waits", [&] { return waits(scene.cache, "build k"); });
    builder.go_on();
    CHECK(builder.join() == 0);
    CHECK(waiter.join() == 0);
    require_no_leak(scene.root, 2);
}

TEST_CASE("a kill of a builder frees the byte that two of its builds share") {
    const Scene scene;
    const FewHashes all_collide(1);
    Child builder([&](Child& child) {
        have_few_hashes(child, 1);
        const Bucket bucket = open_bucket(scene.root);
        (void)bucket.get_or_build("k1", [&](Staging&) -> Result<> {
            (void)bucket.get_or_build("k2", [&](Staging&) -> Result<> {
                child.say("builds");
                child.hear();
                return {};
            });
            return {};
        });
    });
    builder.wait_for("builds");
    builder.kill();
    const Bucket bucket = open_bucket(scene.root);
    CHECK(content_of(value(bucket.get_or_build("k2", content("two")))) == "two");
    CHECK(content_of(value(bucket.get_or_build("k1", content("one")))) == "one");
    require_no_leak(scene.root, 2);
}
