// SPDX-License-Identifier: MIT
// Claims: one builder for a key, for which nothing waits.

#include <unistd.h>

#include <algorithm>
#include <future>
#include <utility>
#include <variant>
#include <vector>

#include "catch.hpp"
#include "format/outer_builds.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Claims a key that no other builds, and returns the Staging. Fails the test if there is an entry.
Staging claimed(const Bucket& bucket, const std::string& key) {
    auto claim = value(bucket.claim(key));
    REQUIRE(std::holds_alternative<Staging>(claim));
    return std::get<Staging>(std::move(claim));
}

/// Publishes what was claimed, with this content.
Lease build(const Bucket& bucket, const std::string& key, Staging staging,
            const std::string& content) {
    fill(staging.path(), content);
    return value(bucket.publish(key, std::move(staging)));
}

std::string content_if_claimed(const Bucket& bucket, const std::string& key) {
    auto claim = value(bucket.claim(key));
    REQUIRE(std::holds_alternative<Lease>(claim));
    return content_of(std::get<Lease>(claim));
}

}  // namespace

TEST_CASE("a claim of an entry that exists is a lease") {
    const Scene scene;
    put(scene.bucket, "k", "there");
    CHECK(content_if_claimed(scene.bucket, "k") == "there");
    CHECK(value(scene.cache.status()).locks.empty());
}

TEST_CASE("one claims, and the others are busy until it has published") {
    const Scene scene;
    const Bucket other = open_bucket(scene.root);  // as if in another process
    Staging staging = claimed(scene.bucket, "k");
    const auto again = scene.bucket.claim("k");
    REQUIRE(outcome(again) == "busy");
    CHECK(contains(again.error().detail, "built by pid " + std::to_string(::getpid())));
    CHECK(outcome(other.claim("k")) == "busy");
    const auto locks = value(scene.cache.status()).locks;
    REQUIRE(locks.size() == 1);
    CHECK(locks[0].what == "build k");
    CHECK_FALSE(locks[0].waiting);

    const Lease built = build(scene.bucket, "k", std::move(staging), "built");
    CHECK(content_of(built) == "built");
    CHECK(content_if_claimed(scene.bucket, "k") == "built");
    CHECK(content_if_claimed(other, "k") == "built");
    CHECK(value(scene.cache.status()).locks.empty());
    require_no_leak(scene.root, 1);
}

TEST_CASE("a claim that is given up can be claimed again, and leaves nothing") {
    const Scene scene;
    {
        const Staging given_up = claimed(scene.bucket, "k");
        fill(given_up.path(), "half");
    }
    CHECK(value(scene.cache.status()).locks.empty());
    CHECK(content_of(build(scene.bucket, "k", claimed(scene.bucket, "k"), "whole")) == "whole");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a publish of a claim that fails lets the key go") {
    const Scene scene;
    Staging staging = claimed(scene.bucket, "k");
    const Cache elsewhere = open_cache(scene.dir.path() / "elsewhere");
    CHECK(outcome(value(elsewhere.bucket("b")).publish("k", std::move(staging))) == "invalid");
    CHECK(value(scene.cache.status()).locks.empty());
    (void)build(scene.bucket, "k", claimed(scene.bucket, "k"), "built");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a process that is killed with a claim loses it, and what it has staged is garbage") {
    const Scene scene;
    Child builder([&](Child& child) {
        const Staging staging = claimed(open_bucket(scene.root), "k");
        fill(staging.path(), "half");
        child.say("claimed");
        child.hear();
    });
    builder.wait_for("claimed");
    const auto refused = scene.bucket.claim("k");
    REQUIRE(outcome(refused) == "busy");
    CHECK(contains(refused.error().detail, "built by pid " + std::to_string(builder.pid())));
    builder.kill();
    (void)build(scene.bucket, "k", claimed(scene.bucket, "k"), "built");
    (void)value(scene.cache.collect());
    require_no_leak(scene.root, 1);
}

TEST_CASE("a get_or_build waits for a claim, and gets what that has built") {
    const Scene scene;
    Staging staging = claimed(scene.bucket, "k");
    Child waiter([&](Child&) {
        const Lease lease =
            value(open_bucket(scene.root).get_or_build("k", [](Staging&) -> Result<> {
                Child::must(false, "built twice");
                return {};
            }));
        Child::must(content_of(lease) == "built", "not what was built");
    });
    eventually("it waits", [&] { return value(scene.cache.status()).locks.size() == 2; });
    (void)build(scene.bucket, "k", std::move(staging), "built");
    CHECK(waiter.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("a key that another builds by get_or_build is busy for a claim") {
    const Scene scene;
    const auto lease = scene.bucket.get_or_build("k", [&](Staging& stage) -> Result<> {
        fill(stage.path(), "built");
        // This thread would be busy with itself for ever.
        CHECK(outcome(scene.bucket.claim("k")) == "invalid");
        Child other([&](Child& child) { child.say(outcome(open_bucket(scene.root).claim("k"))); });
        CHECK(other.listen() == "invalid");  // it works for the build that has forked it
        CHECK(other.join() == 0);
        return {};
    });
    CHECK(outcome(lease) == "ok");
    CHECK(content_if_claimed(scene.bucket, "k") == "built");
}

TEST_CASE("a forked child does not hold the claim, and cannot publish it") {
    const Scene scene;
    Staging staging = claimed(scene.bucket, "k");
    Child child([&](Child& self) {
        fill(staging.path(), "the child's");
        self.say(outcome(scene.bucket.publish("k", std::move(staging))));
        self.say(outcome(open_bucket(scene.root).claim("k")));
        self.hear();
    });
    CHECK(child.listen() == "invalid");
    CHECK(child.listen() == "busy");
    // The child still runs, and does not keep the lock.
    (void)build(scene.bucket, "k", std::move(staging), "built");
    CHECK(value(scene.cache.status()).locks.empty());
    child.go_on();
    CHECK(child.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("one thread has claims of 200 keys at a time, and all of them are told") {
    const Scene scene;
    std::vector<std::pair<std::string, Staging>> claims;
    for (int i = 0; i < 200; ++i) {
        const std::string key = "k" + std::to_string(i);
        claims.emplace_back(key, claimed(scene.bucket, key));
    }
    CHECK(value(scene.cache.status()).locks.size() == 200);
    Child other([&](Child&) {
        const Bucket bucket = open_bucket(scene.root);
        const std::string holder = "built by pid " + std::to_string(::getppid());
        for (int i = 0; i < 200; ++i) {
            const auto refused = bucket.claim("k" + std::to_string(i));
            Child::must(outcome(refused) == "busy", "not busy");
            Child::must(contains(refused.error().detail, holder), refused.error().detail.c_str());
        }
    });
    CHECK(other.join() == 0);
    for (auto& [key, staging] : claims) (void)build(scene.bucket, key, std::move(staging), key);
    CHECK(value(scene.cache.status()).locks.empty());
    require_no_leak(scene.root, 200);
}

TEST_CASE("a publish of a claim is as patient as that of a build") {
    // 1. A remove holds the bucket's lock, for longer than the lock's limit
    // 2. B publishes what it has claimed, and waits for the limit of a build
    const Scene scene;
    put(scene.bucket, "other", "there");
    OpenOptions options = test_options();
    options.lock_timeout = std::chrono::milliseconds(0);
    options.build_timeout = std::chrono::minutes(1);
    const Bucket bucket = open_bucket(scene.root, options);
    Staging staging = claimed(bucket, "k");
    fill(staging.path(), "built");
    Child remover([&](Child&) { (void)value(open_bucket(scene.root).remove("other")); },
                  {{"remove.locked"}, {}});
    remover.wait_for("remove.locked");
    auto published = std::async(std::launch::async,
                                [&] { return outcome(bucket.publish("k", std::move(staging))); });
    eventually("it waits", [&] {
        const auto locks = value(scene.cache.status()).locks;
        return std::any_of(locks.begin(), locks.end(),
                           [](const auto& lock) { return lock.waiting; });
    });
    remover.go_on();
    CHECK(published.get() == "ok");
    CHECK(remover.join() == 0);
}

TEST_CASE("a claim tells the programs that it runs for which build they work") {
    const Scene scene;
    const Staging staging = claimed(scene.bucket, "k");
    const auto builds = format::parse_outer_builds(staging.inside());
    REQUIRE(builds.size() == 1);
    CHECK(builds[0].root == scene.root.string());
    CHECK(builds[0].key_path == "b/k");
    CHECK(value(scene.bucket.stage()).inside().empty());
}
