// SPDX-License-Identifier: MIT
// The gate: processes that share a bucket's lock over and over can't keep out one that wants it
// exclusively.

#include <deque>

#include "cache/locks.hpp"
#include "catch.hpp"
#include "os/file_lock.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;
using cache::BucketLock;
using os::FileLock;
using os::Mode;

namespace {

cache::CallContext limits(std::stop_token stop = {}) {
    return {std::chrono::minutes(10), std::chrono::minutes(10), std::move(stop), {}};
}

cache::CallContext no_patience() {
    std::stop_source source;
    source.request_stop();
    return limits(source.get_token());
}

std::shared_ptr<cache::Root> open(const fs::path& path) {
    return value(cache::open_root(path, test_options()));
}

}  // namespace

TEST_CASE("without a gate, sharers that overlap keep an exclusive waiter out forever") {
    const TempDir temp;
    const os::Dir dir = value(os::open_dir(temp.path()));
    auto held = value(FileLock::try_lock(dir, "lock", Mode::shared));
    REQUIRE(held);
    for (int hand_over = 0; hand_over < 1000; ++hand_over) {
        auto next = value(FileLock::try_lock(dir, "lock", Mode::shared));
        REQUIRE(next);
        held = std::move(next);
        REQUIRE_FALSE(value(FileLock::try_lock(dir, "lock", Mode::exclusive)));
    }
}

TEST_CASE("with the gate, no process joins the sharers while one waits for the lock exclusively") {
    const TempDir dir;
    const auto root = open(dir.path() / "cache");
    std::optional<BucketLock> sharer = value(BucketLock::shared(*root, "b", limits()));
    {
        std::optional<BucketLock> alone;
        HeldThread waiter("lock.at-gate", [&] {
            alone.emplace(value(BucketLock::exclusive(*root, "b", limits())));
        });
        // The gate forbids that a new sharer takes the lock while the other still holds it.
        const auto next = BucketLock::shared(*root, "b", no_patience());
        REQUIRE_FALSE(next);
        CHECK(next.error().code == Errc::interrupted);
        sharer.reset();
        waiter.finish();
        REQUIRE(alone);
        CHECK_FALSE(BucketLock::shared(*root, "b", no_patience()));
    }
    CHECK(BucketLock::shared(*root, "b", no_patience()));
    CHECK(BucketLock::exclusive(*root, "b", no_patience()));
}

TEST_CASE("sharers hold the lock at the same time") {
    const TempDir dir;
    const auto root = open(dir.path() / "cache");
    const auto first = value(BucketLock::shared(*root, "b", no_patience()));
    const auto second = value(BucketLock::shared(*root, "b", no_patience()));
    Child other([&](Child&) {
        (void)value(BucketLock::shared(*open(dir.path() / "cache"), "b", no_patience()));
    });
    CHECK(other.join() == 0);
    CHECK_FALSE(value(BucketLock::try_exclusive(*root, "b")));
}

TEST_CASE("eight processes that take the shared lock in a loop do not keep a remove out") {
    const TempDir dir;
    const fs::path path = dir.path() / "cache";
    const Cache cache = open_cache(path);
    const Bucket bucket = value(cache.bucket("b"));
    for (int i = 0; i < 10; ++i) put(bucket, std::to_string(i), "old");
    std::deque<Child> sharers;
    for (int i = 0; i < 8; ++i) {
        sharers.emplace_back([&](Child& self) {
            const auto root = open(path);
            for (int turn = 0;; ++turn) {
                (void)value(BucketLock::shared(*root, "b", limits()));
                if (turn == 10) self.say("sharing");
            }
        });
    }
    for (auto& sharer : sharers) sharer.wait_for("sharing");
    for (int i = 0; i < 10; ++i) REQUIRE_NOTHROW(value(bucket.remove(std::to_string(i))));
}

TEST_CASE("eight processes that publish in a loop do not keep a remove out") {
    const TempDir dir;
    const fs::path path = dir.path() / "cache";
    const Cache cache = open_cache(path);
    const Bucket bucket = value(cache.bucket("b"));
    for (int i = 0; i < 10; ++i) put(bucket, std::to_string(i), "old");
    std::deque<Child> publishers;
    for (int i = 0; i < 8; ++i) {
        publishers.emplace_back([&, i](Child& self) {
            const Bucket mine = value(open_cache(path).bucket("b"));
            for (int turn = 0;; ++turn) {
                put(mine, "by " + std::to_string(i % 3), "new");
                if (turn == 3) self.say("publishing");
            }
        });
    }
    for (auto& publisher : publishers) publisher.wait_for("publishing");
    for (int i = 0; i < 10; ++i) REQUIRE_NOTHROW(value(bucket.remove(std::to_string(i))));
}
