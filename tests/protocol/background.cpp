// SPDX-License-Identifier: MIT
// Collections that begin by themselves at the end of a publish.

#include <fcntl.h>
#include <sys/stat.h>

#include <condition_variable>
#include <mutex>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

/// Waits for the collections that other threads make.
class Watch {
public:
    BackgroundOptions options(std::chrono::seconds every, std::chrono::milliseconds at_most = 1h) {
        BackgroundOptions options;
        options.every = every;
        options.at_most = at_most;
        options.on_done = [this](const Result<CollectReport>& report) {
            const std::lock_guard guard(mutex_);
            reports_.push_back(report);
            changed_.notify_all();
        };
        return options;
    }
    std::vector<Result<CollectReport>> wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        if (!changed_.wait_for(lock, 60s, [&] { return reports_.size() >= count; }))
            throw std::runtime_error("no collection began by itself");
        return reports_;
    }
    std::size_t count() {
        const std::lock_guard guard(mutex_);
        return reports_.size();
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    std::vector<Result<CollectReport>> reports_;
};

/// Makes the last collection look as if it was so long ago.
void collected_ago(const Scene& scene, std::chrono::seconds ago) {
    const auto then = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() - ago);
    const timespec times[2] = {{then, 0}, {then, 0}};
    REQUIRE(::utimensat(AT_FDCWD, (scene.root / "locks").c_str(), times, 0) == 0);
}

}  // namespace

TEST_CASE("a publish starts a collection that is due, which keeps the limits") {
    const Scene scene;
    Watch watch;
    for (const char* key : {"1", "2", "3"}) put(scene.bucket, key, "x");
    value(scene.cache.keep_within({.max_entries = 2, .low_water = 100}, watch.options(1h)));
    collected_ago(scene, 2h);
    put(scene.bucket, "4", "x");  // leased until the end of this line
    const auto reports = watch.wait_for(1);
    REQUIRE(reports[0]);
    CHECK(reports[0]->evicted >= 1);
    CHECK(value(scene.bucket.keys()).size() <= 3);
}

TEST_CASE("no collection begins before it is due, whichever process made the last one") {
    const Scene scene;
    Child other([&](Child&) {
        const Cache cache = open_cache(scene.root);
        Watch watch;
        value(cache.keep_within({.max_entries = 0}, watch.options(0s)));
        put(value(cache.bucket("b")), "theirs", "x");
        (void)watch.wait_for(1);
    });
    CHECK(other.join() == 0);
    Watch watch;
    value(scene.cache.keep_within({.max_entries = 0}, watch.options(1h)));
    for (int i = 0; i < 10; ++i) put(scene.bucket, std::to_string(i), "x");
    CHECK(watch.count() == 0);
    CHECK(value(scene.bucket.keys()).size() >= 10);
}

TEST_CASE("a collection stops when its time is over, and leaves the rest") {
    const Scene scene;
    Watch watch;
    for (int i = 0; i < 1000; ++i) put(scene.bucket, std::to_string(i), "x");
    value(scene.cache.keep_within({.max_entries = 0}, watch.options(0s, 0ms)));
    put(scene.bucket, "last", "x");
    const auto reports = watch.wait_for(1);
    REQUIRE(reports[0]);
    CHECK(reports[0]->stopped);
    CHECK(reports[0]->evicted < 1000);
}

TEST_CASE("a call without limits ends the collections; limits that make no sense are refused") {
    const Scene scene;
    Watch watch;
    value(scene.cache.keep_within({.max_entries = 0}, watch.options(0s)));
    value(scene.cache.keep_within({}));
    put(scene.bucket, "k", "x");
    CHECK(watch.count() == 0);
    CHECK(outcome(scene.cache.keep_within({.max_entries = 0, .low_water = 0})) == "invalid");
}

TEST_CASE(
    "closing the cache stops a collection that is at work, and a forked child neither waits for it "
    "nor starts one") {
    const Scene scene;
    Child user([&](Child& child) {
        Watch watch;
        auto cache = std::make_unique<Cache>(open_cache(scene.root));
        for (int i = 0; i < 50; ++i) put(value(cache->bucket("b")), std::to_string(i), "x");
        value(cache->keep_within({.max_entries = 0}, watch.options(0s)));
        put(value(cache->bucket("b")), "last", "x");
        Child grandchild([&](Child&) {
            put(value(cache->bucket("b")), "theirs", "x");
            cache.reset();
        });
        Child::must(grandchild.join() == 0, "the forked child ends");
        cache.reset();
        child.say("closed");
    });
    user.wait_for("closed");
    CHECK(user.join() == 0);
    const auto left = value(scene.bucket.keys()).size();
    require_no_leak(scene.root, left);
}
