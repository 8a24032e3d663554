// SPDX-License-Identifier: MIT
// Callbacks that throw, and callbacks that close the cache. Neither ends the process.
#include <atomic>
#include <future>
#include <memory>
#include <optional>

#include <larder/larder.h>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

struct Thrown {};

/// So many files that progress is reported while they are deleted, and that helpers take part.
constexpr int many_files = 2000;

/// Leaves one removed entry with many files, and one live entry.
void leave_garbage(const Scene& scene) {
    Staging staging = value(scene.bucket.stage());
    for (int i = 0; i < many_files; ++i) write_file(staging.path() / std::to_string(i), "");
    (void)value(scene.bucket.publish("garbage", std::move(staging)));
    value(scene.bucket.remove("garbage"));
    (void)put(scene.bucket, "live", "x");
}

/// Puts something that is no lease table among the tables, so that a collection fails in part.
/// Returns its path.
fs::path spoil_a_table(const Scene& scene) {
    const fs::path table = scene.root / "participants" / "9";
    write_file(table, std::string(16384, 'x'));
    return table;
}

/// A Cache and a Bucket of their own, which a callback can destroy.
struct Handles {
    explicit Handles(const fs::path& root, const OpenOptions& options = test_options())
        : cache(open_cache(root, options)), bucket(value(cache.bucket("b"))) {}
    Cache cache;
    Bucket bucket;
};

/// Publishes, which starts a collection in the background, and then lets `close` destroy the
/// handles within a callback. Returns when the collection has ended.
void close_in_background(const Scene& scene,
                         const std::function<void(BackgroundOptions&, std::function<void()>)>& ask,
                         const Limits& limits) {
    std::optional<Handles> handles(std::in_place, scene.root);
    std::promise<void> published;
    auto is_published = published.get_future().share();
    // The count of `alive` orders nothing between threads, and this does.
    const auto closed = std::make_shared<std::atomic<bool>>(false);
    auto alive = std::make_shared<int>(0);
    const std::weak_ptr<int> state = alive;
    BackgroundOptions options;
    options.every = 0s;
    options.threads = 3;
    ask(options, [&handles, is_published, closed, alive] {
        const auto told = closed;
        is_published.wait();
        handles.reset();
        *told = true;
    });
    value(handles->cache.keep_within(limits, options));
    options = {};
    alive.reset();
    (void)put(handles->bucket, "new", "x");
    published.set_value();
    eventually("the state of the cache ends", [&] { return state.expired() && *closed; });
    CHECK_FALSE(handles);
}

}  // namespace

TEST_CASE("what on_progress throws reaches the caller, from threads that delete as well") {
    const Scene scene;
    using Phase = CollectProgress::Phase;
    for (const Phase phase : {Phase::collecting, Phase::deleting}) {
        INFO(static_cast<int>(phase));
        leave_garbage(scene);
        CollectOptions options;
        options.threads = 3;
        options.on_progress = [&](const CollectProgress& progress) {
            if (progress.phase == phase) throw Thrown{};
        };
        CHECK_THROWS_AS((void)scene.cache.collect({}, options), Thrown);
        CHECK(value(scene.cache.verify()).sound());
    }
    CHECK(content_of(scene.bucket, "live") == "x");
}

TEST_CASE("what on_evict, on_taken and a build throw reaches the caller") {
    const Scene scene;
    (void)put(scene.bucket, "1", "x");
    (void)put(scene.bucket, "2", "x");
    CollectOptions collecting;
    collecting.on_evict = [](const Eviction&) { throw Thrown{}; };
    CHECK_THROWS_AS((void)scene.cache.collect({.max_entries = 0}, collecting), Thrown);
    RefreshOptions refreshing;
    refreshing.on_taken = [](const std::string&) { throw Thrown{}; };
    CHECK_THROWS_AS((void)scene.bucket.refresh(refreshing), Thrown);
    CHECK_THROWS_AS(
        (void)scene.bucket.get_or_build("3", [](Staging&) -> Result<> { throw Thrown{}; }), Thrown);
    CHECK(value(scene.cache.verify()).sound());
    CHECK(value(scene.bucket.keys()).empty());
    (void)value(scene.cache.collect());  // no lock was left
    (void)put(scene.bucket, "3", "x");
}

TEST_CASE("what on_partial and a visit throw reaches the caller") {
    const Scene scene;
    (void)put(scene.bucket, "live", "x");
    (void)put(scene.bucket, "gone", "x");
    value(scene.bucket.remove("gone"));
    CHECK_THROWS_AS(
        (void)scene.bucket.visit_keys([](const std::string&) -> bool { throw Thrown{}; }), Thrown);
    CHECK_THROWS_AS((void)scene.cache.visit_trash([](const EntryInfo&) -> bool { throw Thrown{}; }),
                    Thrown);
    const fs::path table = spoil_a_table(scene);
    CollectOptions options;
    options.on_partial = [](const CollectReport&) { throw Thrown{}; };
    CHECK_THROWS_AS((void)scene.cache.collect({}, options), Thrown);
    fs::remove(table);
    CHECK(value(scene.cache.collect()).entries == 1);  // no lock was left
    CHECK(content_of(scene.bucket, "live") == "x");
}

TEST_CASE("what on_wait throws is dropped, and the wait goes on") {
    const Scene scene;
    const auto build = [](Staging& staging) -> Result<> {
        fill(staging.path(), "built");
        return {};
    };
    Child builder([&](Child&) { (void)value(open_bucket(scene.root).get_or_build("k", build)); },
                  {{"build.filled"}, {}});
    builder.wait_for("build.filled");
    OpenOptions options = test_options();
    options.on_wait = [&, is_first = true](const std::string&) mutable {
        if (std::exchange(is_first, false)) builder.go_on();
        throw Thrown{};
    };
    CHECK(content_of(value(open_bucket(scene.root, options).get_or_build("k", build))) == "built");
    CHECK(builder.join() == 0);
}

TEST_CASE("what the callbacks of a collection in the background throw is dropped") {
    for (const std::string which : {"done", "evict", "progress"}) {
        INFO(which);
        const Scene scene;
        leave_garbage(scene);
        auto heard = std::make_shared<std::promise<void>>();
        auto is_heard = heard->get_future();
        const auto throws = [heard, told = std::make_shared<std::once_flag>()] {
            std::call_once(*told, [&] { heard->set_value(); });
            throw Thrown{};
        };
        BackgroundOptions options;
        options.every = 0s;
        options.threads = 3;
        if (which == "done") options.on_done = [=](const auto&) { throws(); };
        if (which == "evict") options.on_evict = [=](const auto&) { throws(); };
        if (which == "progress") {
            options.on_progress = [=](const CollectProgress& progress) {
                if (progress.phase == CollectProgress::Phase::deleting) throws();
            };
        }
        value(scene.cache.keep_within({.max_entries = 0}, options));
        (void)put(scene.bucket, "new", "x");
        REQUIRE(is_heard.wait_for(60s) == std::future_status::ready);
        value(scene.cache.keep_within({}));
        eventually("the collection ends", [&] { return scene.cache.collect().has_value(); });
        CHECK(value(scene.cache.verify()).sound());
    }
}

TEST_CASE("a callback of a collection in the background closes the cache") {
    const Scene scene;
    leave_garbage(scene);
    SECTION("on_done") {
        close_in_background(scene,
                            [](BackgroundOptions& options, const std::function<void()>& close) {
                                options.on_done = [close](const auto&) { close(); };
                            },
                            {.max_entries = 1000});
    }
    SECTION("on_evict") {
        close_in_background(scene,
                            [](BackgroundOptions& options, const std::function<void()>& close) {
                                options.on_evict = [close](const auto&) { close(); };
                            },
                            {.max_entries = 0});
    }
    SECTION("on_progress, by a thread that deletes") {
        close_in_background(scene,
                            [](BackgroundOptions& options, const std::function<void()>& close) {
                                options.on_progress = [close](const CollectProgress& progress) {
                                    if (progress.phase == CollectProgress::Phase::deleting) close();
                                };
                            },
                            {.max_entries = 1000});
    }
    CHECK(value(scene.cache.verify()).sound());
}

TEST_CASE("a callback closes the cache, and the call goes on to its end") {
    const Scene scene;
    leave_garbage(scene);
    std::optional<Handles> handles;
    OpenOptions opening = test_options();
    CollectOptions options;
    SECTION("on_event") {
        opening.on_event = [&](const Event&) { handles.reset(); };
        handles.emplace(scene.root, opening);
    }
    SECTION("on_evict") {
        options.on_evict = [&](const Eviction&) { handles.reset(); };
        handles.emplace(scene.root, opening);
    }
    SECTION("on_progress") {
        options.on_progress = [&](const CollectProgress&) { handles.reset(); };
        handles.emplace(scene.root, opening);
    }
    const auto report = value(handles->cache.collect({.max_entries = 0}, options));
    CHECK_FALSE(handles);
    CHECK(report.evicted == 1);
    CHECK(report.entries == 2);
    CHECK(value(scene.cache.verify()).sound());
}

TEST_CASE("a build closes the cache, and is published") {
    const Scene scene;
    std::optional<Cache> cache(open_cache(scene.root));
    const Bucket bucket = value(cache->bucket("b"));
    const auto lease = value(bucket.get_or_build("k", [&](Staging& staging) -> Result<> {
        cache.reset();
        fill(staging.path(), "x");
        return {};
    }));
    CHECK(content_of(lease) == "x");
}

TEST_CASE("a callback of a bucket, or a visit, closes the cache, and the call goes on to its end") {
    const Scene scene;
    (void)put(scene.bucket, "1", "x");
    (void)put(scene.bucket, "2", "x");
    (void)put(scene.bucket, "gone", "x");
    value(scene.bucket.remove("gone"));
    std::optional<Cache> cache(open_cache(scene.root));
    const Bucket bucket = value(cache->bucket("b"));
    int calls = 0;
    const auto close = [&] {
        cache.reset();
        ++calls;
        return true;
    };
    SECTION("on_taken") {
        RefreshOptions options;
        options.on_taken = [&](const std::string&) { close(); };
        CHECK(value(bucket.refresh(options)) == 2);
        CHECK(calls == 2);
    }
    SECTION("a visit of the keys") {
        value(bucket.visit_keys([&](const std::string&) { return close(); }));
        CHECK(calls == 2);
    }
    SECTION("a visit of the trash") {
        value(cache->visit_trash([&](const EntryInfo&) { return close(); }));
        CHECK(calls == 1);
    }
    SECTION("on_partial") {
        const fs::path table = spoil_a_table(scene);
        CollectOptions options;
        options.on_partial = [&](const CollectReport&) { close(); };
        CHECK_FALSE(cache->collect({}, options));
        CHECK(calls == 1);
        fs::remove(table);
    }
    CHECK_FALSE(cache);
    CHECK(value(scene.cache.verify()).sound());
}

TEST_CASE("what a build and an on_done in C++ throw through the C interface leaks nothing") {
    // The sanitizer of the preset asan sees what is leaked.
    const Scene scene;
    larder_cache* cache = nullptr;
    larder_bucket* bucket = nullptr;
    larder_lease* lease = nullptr;
    larder_error* error = nullptr;
    REQUIRE(larder_cache_open(scene.root.string().c_str(), nullptr, &cache, nullptr) == LARDER_OK);
    REQUIRE(larder_cache_bucket(cache, "b", &bucket, nullptr) == LARDER_OK);
    const larder_build build = [](larder_staging* staging, void*, larder_error** met) -> int {
        (void)larder_staging_note(staging, "/no", 1, "", 0, met);
        throw std::runtime_error("thrown by a build");
    };
    CHECK(larder_bucket_get_or_build(bucket, "k", build, nullptr, nullptr, &lease, &error) ==
          LARDER_SYSTEM);
    CHECK(lease == nullptr);
    CHECK(std::string(error->message).find("thrown by a build") != std::string::npos);
    larder_error_free(error);

    std::promise<void> called;
    larder_limits limits{};
    limits.size = sizeof limits;
    limits.set = LARDER_LIMIT_ENTRIES;
    limits.max_entries = 1;
    larder_background_options options{};
    options.size = sizeof options;
    options.every_s = -1;
    options.on_done_data = &called;
    options.on_done = [](const larder_collect_report*, const larder_error*, void* data) {
        static_cast<std::promise<void>*>(data)->set_value();
        throw std::runtime_error("thrown by on_done");
    };
    REQUIRE(larder_cache_keep_within(cache, &limits, &options, nullptr) == LARDER_OK);
    const larder_build good = [](larder_staging*, void*, larder_error**) -> int { return 0; };
    REQUIRE(larder_bucket_get_or_build(bucket, "k", good, nullptr, nullptr, &lease, nullptr) ==
            LARDER_OK);
    called.get_future().wait();
    larder_lease_free(lease);
    larder_bucket_free(bucket);
    larder_cache_close(cache);
}
