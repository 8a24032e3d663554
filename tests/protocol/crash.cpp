// SPDX-License-Identifier: MIT
// A kill at each named point of each step, and then: every invariant holds, and one collection leaves no leak.

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <csignal>

#include "catch.hpp"
#include "os/points.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// What a step may leave behind when it is killed: the key names the old entry, the new one, or none.
struct Crash {
    std::string point;
    std::vector<std::string> allowed;
};

void put_old(const Cache& cache) { put(value(cache.bucket("b")), "k", "old"); }
void put_new(const Cache& cache) { put(value(cache.bucket("b")), "k", "new"); }
void nothing(const Cache&) {}

/// An entry at b/k, and garbage of every kind: a replaced entry, a refreshed bucket, and what a process left that was killed while publishing.
void put_garbage(const Cache& cache) {
    put(value(cache.bucket("gone")), "k", "refreshed");
    value(value(cache.bucket("gone")).refresh());
    put_old(cache);
    put_new(cache);
    Child victim([&](Child&) { put(value(open_cache(cache.root()).bucket("b")), "other", "half"); },
                 {{}, {"publish.archived"}});
    Child::must(victim.join() == 128 + SIGKILL, "the victim lives");
}

void prepare_in_child(const fs::path& root, const std::function<void(const Cache&)>& prepare) {
    // By a process that has ended: nothing of it is leased any more.
    Child preparing([&](Child&) { prepare(open_cache(root)); });
    REQUIRE(preparing.join() == 0);
}

/// Runs `step` in a process that is killed at the point; then checks invariants 1, 2 and 6, and what the key says.
void check(const Crash& crash, const std::function<void(const Cache&)>& prepare,
           const std::function<void(const Cache&)>& step) {
    INFO("killed at " << crash.point);
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    prepare_in_child(root, prepare);
    Child victim([&](Child&) { step(open_cache(root)); }, {{}, {crash.point}});
    REQUIRE(victim.join() == 128 + SIGKILL);

    std::string content;
    {
        const Cache cache = open_cache(root);
        CHECK(value(cache.verify()).sound());
        content = content_of(value(cache.bucket("b")), "k");
        CHECK(std::find(crash.allowed.begin(), crash.allowed.end(), content) !=
              crash.allowed.end());
    }
    REQUIRE_NOTHROW(require_no_leak(root, content.empty() ? 0 : 1));
}

}  // namespace

TEST_CASE("a put that is killed leaves nothing, or the whole new entry") {
    for (const char* point : {"adopt.locked", "adopt.reaped", "stage.made", "publish.leased",
                              "publish.completed", "publish.linked", "publish.archived",
                              "lock.past-gate", "publish.locked", "publish.before-placing-new"}) {
        check({point, {""}}, nothing, put_new);
    }
    for (const char* point : {"publish.placed", "publish.retired"})
        check({point, {"new"}}, nothing, put_new);
}

TEST_CASE("a replacing put that is killed leaves the old entry or the new one, whole") {
    for (const char* point :
         {"stage.made", "publish.leased", "publish.completed", "publish.linked", "publish.archived",
          "lock.past-gate", "publish.locked", "publish.before-exchange"}) {
        check({point, {"old"}}, put_old, put_new);
    }
    for (const char* point : {"publish.placed", "publish.retired"})
        check({point, {"new"}}, put_old, put_new);
}

TEST_CASE("a get that is killed changes nothing, and its slot protects nobody") {
    const auto step = [](const Cache& cache) { (void)value(value(cache.bucket("b")).get("k")); };
    for (const char* point : {"get.read", "get.stored", "get.confirmed"})
        check({point, {"old"}}, put_old, step);
}

TEST_CASE("a remove that is killed has happened or not") {
    const auto step = [](const Cache& cache) { value(value(cache.bucket("b")).remove("k")); };
    for (const char* point : {"lock.at-gate", "remove.locked", "remove.checked"})
        check({point, {"old"}}, put_old, step);
    check({"remove.retired", {""}}, put_old, step);
}

TEST_CASE("a refresh that is killed has happened or not") {
    const auto step = [](const Cache& cache) { value(value(cache.bucket("b")).refresh()); };
    check({"refresh.begun", {"old"}}, put_old, step);
    check({"refresh.moved", {""}}, put_old, step);
}

TEST_CASE("a collection that is killed is carried on by the next") {
    const auto step = [](const Cache& cache) { (void)value(cache.collect()); };
    for (const char* point :
         {"collect.locked", "reap.locked", "reap.one", "reap.emptied", "collect.reaped",
          "collect.flatten-one", "collect.flattened", "collect.listed", "collect.scanned",
          "collect.moved", "collect.unlocked", "collect.emptied"}) {
        check({point, {"new"}}, put_garbage, step);
    }
}

TEST_CASE("a collection that can't move something is carried on by the next") {
    int failing = 0;
    for (bool met = true; met;) {
        INFO("rename " << ++failing);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        prepare_in_child(root, put_garbage);
        {
            const Cache cache = open_cache(root);
            std::atomic<int> renames{0};
            os::set_point_hook([&](const char* name) {
                return name == std::string("os.noreplace") && ++renames == failing ? EIO : 0;
            });
            const auto collected = cache.collect();
            os::set_point_hook({});
            met = renames >= failing;
            CHECK(collected.has_value() == !met);
            CHECK(value(cache.verify()).sound());
        }
        REQUIRE_NOTHROW(require_no_leak(root, 1));
    }
    CHECK(failing > 4);
}
