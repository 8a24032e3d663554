// SPDX-License-Identifier: MIT
// Memory runs out in every public call of the C++ interface, at each of its allocations. The call
// may throw std::bad_alloc, return an error that says so, or work without that memory. The process
// never ends, the cache is sound, and nothing has leaked.
#include <memory>
#include <new>
#include <optional>

#include "hostile/support.hpp"
#include "support/failing_memory.h"

using namespace larder;
using namespace larder::testing;

namespace {

/// More than any call here makes.
constexpr long most_allocations = 20'000;

/// Longer than what a std::string keeps in itself.
const std::string key = "a key that is too long for a string to keep it in itself";

/// A cache that another process may have left: an entry, a former entry, and garbage.
class Scene {
public:
    Scene() {
        fs::create_directories(source() / "sub");
        write_file(source() / "file", "text");
        write_file(source() / "sub" / "file", "text");
    }

    /// Opens the cache anew, so that the call under test has to join it.
    Cache cache() {
        OpenOptions options = test_options();
        options.log = dir_.path() / "log";
        options.count = true;
        options.on_event = [this](const Event& event) { heard_ = event.kind; };
        return open_cache(root(), options);
    }
    /// Puts back what a call takes away.
    void restock() {
        const Cache opened = open_cache(root());
        const Bucket bucket = value(opened.bucket("bucket"));
        (void)put(bucket, key, "text");
        (void)put(bucket, "former", "text");
        (void)value(bucket.remove("former"));
        if (value(bucket.is_pinned(key))) value(bucket.unpin(key));
        fs::remove_all(installed());
        fs::create_directories(movable());
        write_file(movable() / "file", "text");
    }
    [[nodiscard]] fs::path root() const { return dir_.path() / "cache"; }
    [[nodiscard]] fs::path source() const { return dir_.path() / "source"; }
    [[nodiscard]] fs::path movable() const { return dir_.path() / "movable"; }
    [[nodiscard]] fs::path installed() const { return dir_.path() / "installed"; }

    /// Requires that the cache is sound, and that a collection leaves live entries alone.
    void check() const {
        std::size_t live = 0;
        {
            const Cache opened = open_cache(root());
            live = value(opened.verify()).live;
        }
        require_no_leak(root(), live);
    }

private:
    TempDir dir_;
    Event::Kind heard_{};
};

struct Outcome {
    long failures = 0;
    bool threw = false;
};

/// Calls `call`, and lets an allocation fail. `call` returns a Result or nothing.
template <class Call>
Outcome call_without_memory(long successes, failing_memory_mode mode, Call call) {
    Outcome outcome;
    std::optional<Error> error;
    failing_memory_begin(successes, mode);
    try {
        auto result = call();
        outcome.failures = failing_memory_end();
        if (!result) error = result.error();
    } catch (const std::bad_alloc&) {
        outcome.failures = failing_memory_end();
        outcome.threw = true;
    }
    INFO((error ? error->message() : std::string()));
    CHECK((!error || error->why == Why::no_memory || error->code == Errc::miss));
    return outcome;
}

/// Lets each allocation of a call fail, the first, the second and so on, until the call makes no
/// more. `prepare` returns what the call works on, with enough memory.
template <class Prepare, class Call>
void without_memory(const std::string& name, Scene& scene, Prepare prepare, Call call) {
    for (const auto mode : {FAIL_ONCE, FAIL_FROM_NOW}) {
        long thrown = 0, n = 0;
        for (; n < most_allocations; ++n) {
            INFO(name << ", allocation " << n << (mode == FAIL_ONCE ? "" : " and all later ones"));
            scene.restock();
            Outcome outcome;
            {
                auto prepared = prepare();
                outcome = call_without_memory(n, mode, [&] { return call(prepared); });
            }
            scene.check();
            thrown += outcome.threw ? 1 : 0;
            if (outcome.failures == 0) break;
        }
        INFO(name);
        CHECK(n < most_allocations);
        CHECK((n == 0 || thrown > 0));
    }
}

struct BucketOfCache {
    Cache cache;
    Bucket bucket;
};

struct StagingOfCache {
    Cache cache;
    Bucket bucket;
    Staging staging;
};

}  // namespace

TEST_CASE("memory runs out: open a cache") {
    Scene scene;
    without_memory(
        "open", scene, [] { return 0; },
        [&](int) -> Result<> {
            return Cache::open(scene.root(), test_options()).map([](auto&&) {});
        });
    TempDir dir;
    without_memory(
        "create", scene, [&] { return fs::remove_all(dir.path() / "new"); },
        [&](auto) -> Result<> {
            return Cache::open(dir.path() / "new", test_options()).map([](auto&&) {});
        });
}

TEST_CASE("memory runs out: calls of a Cache") {
    Scene scene;
    const auto each = [&](const std::string& name, auto call) {
        without_memory(
            name, scene, [&] { return scene.cache(); },
            [&](Cache& cache) -> Result<> { return call(cache).map([](auto&&...) {}); });
    };
    Limits limits;
    limits.max_entries = 0;
    limits.max_size = 0;
    limits.keep = {"bucket/a pattern that is too long for a string to keep it in itself*"};
    each("bucket",
         [](Cache& cache) { return cache.bucket("a bucket with a name of some length"); });
    each("buckets", [](Cache& cache) { return cache.buckets(); });
    each("collect", [](Cache& cache) { return cache.collect(); });
    each("collect with limits", [&](Cache& cache) { return cache.collect(limits); });
    each("collect, dry", [&](Cache& cache) { return cache.collect(limits, {.dry_run = true}); });
    each("keep within", [&](Cache& cache) { return cache.keep_within(limits); });
    each("trash", [](Cache& cache) { return cache.trash(); });
    each("visit the trash",
         [](Cache& cache) { return cache.visit_trash([](const EntryInfo&) { return true; }); });
    each("visit entries", [](Cache& cache) {
        return cache.visit_entries({"bucket"}, [](const VisitedEntry&) { return true; });
    });
    each("pins", [](Cache& cache) { return cache.pins(); });
    each("verify", [](Cache& cache) { return cache.verify(); });
    each("repair", [](Cache& cache) { return cache.verify({.repair = true}); });
    each("status", [](Cache& cache) { return cache.status(); });
}

TEST_CASE("memory runs out: evict by a plan, and restore") {
    Scene scene;
    struct Planned {
        Cache cache;
        EvictionPlan plan;
        std::string id;
    };
    const auto prepare = [&] {
        Planned planned{scene.cache(), {}, {}};
        const Bucket bucket = value(planned.cache.bucket("bucket"));
        const EntryInfo info = value(bucket.info(key));
        planned.plan.evictions.push_back({.bucket = info.bucket,
                                          .key = info.key,
                                          .id = info.id,
                                          .bytes = info.bytes,
                                          .last_used = *info.last_used});
        planned.id = value(planned.cache.trash()).front().id;
        return planned;
    };
    without_memory("evict", scene, prepare, [](Planned& planned) -> Result<> {
        return planned.cache.evict(planned.plan).map([](auto&&) {});
    });
    without_memory("restore", scene, prepare, [](Planned& planned) -> Result<> {
        return planned.cache.restore(planned.id, {.replace = true}).map([](auto&&) {});
    });
}

TEST_CASE("memory runs out: a lease for which another table is adopted") {
    constexpr int slots_per_table = 256;
    Scene scene;
    for (long n = 0; n < most_allocations; ++n) {
        INFO("allocation " << n);
        scene.restock();
        Outcome outcome;
        {
            const Cache cache = scene.cache();
            const Bucket bucket = value(cache.bucket("bucket"));
            std::vector<Lease> leases;
            leases.reserve(slots_per_table);
            for (int i = 0; i < slots_per_table; ++i) leases.push_back(value(bucket.get(key)));
            outcome = call_without_memory(
                n, FAIL_ONCE, [&]() -> Result<> { return bucket.get(key).map([](auto&&) {}); });
            // What the failed call has left is of use to the next.
            for (int i = 0; i < 2; ++i) CHECK(content_of(bucket, key) == "text");
        }
        scene.check();
        if (outcome.failures == 0) return;
    }
    FAIL("the call makes too many allocations");
}

TEST_CASE("memory runs out: calls of a Bucket") {
    Scene scene;
    const auto each = [&](const std::string& name, auto call) {
        without_memory(
            name, scene,
            [&] {
                Cache cache = scene.cache();
                Bucket bucket = value(cache.bucket("bucket"));
                return BucketOfCache{std::move(cache), std::move(bucket)};
            },
            [&](BucketOfCache& prepared) -> Result<> {
                return call(prepared.bucket).map([](auto&&...) {});
            });
    };
    const auto build = [&](Staging& staging) { return staging.copy_from(scene.source()); };
    RefreshOptions some;
    some.pattern = "a key that is too long*";
    some.published_before = std::chrono::system_clock::now() + std::chrono::hours(1);
    each("get", [](Bucket& bucket) {
        return bucket.get(key).and_then([](Lease lease) -> Result<> {
            (void)lease.path();
            (void)lease.id();
            return {};  // keep_across_exec would keep the entry: see tests/c/memory.c
        });
    });
    each("miss", [](Bucket& bucket) { return bucket.get("not there, and of some length"); });
    each("get or build, there", [&](Bucket& bucket) { return bucket.get_or_build(key, build); });
    each("get or build", [&](Bucket& bucket) { return bucket.get_or_build("built", build); });
    each("stage", [](Bucket& bucket) { return bucket.stage(); });
    each("remove", [](Bucket& bucket) { return bucket.remove(key); });
    each("refresh", [](Bucket& bucket) { return bucket.refresh(); });
    each("refresh some", [&](Bucket& bucket) { return bucket.refresh(some); });
    each("keys", [](Bucket& bucket) { return bucket.keys(); });
    each("visit the keys",
         [](Bucket& bucket) { return bucket.visit_keys([](const std::string&) { return true; }); });
    each("pin", [](Bucket& bucket) { return bucket.pin(key); });
    each("unpin", [](Bucket& bucket) { return bucket.unpin(key); });
    each("is pinned", [](Bucket& bucket) { return bucket.is_pinned(key); });
    each("info", [](Bucket& bucket) { return bucket.info(key); });
}

TEST_CASE("memory runs out: stage and publish") {
    Scene scene;
    const auto prepare = [&] {
        Cache cache = scene.cache();
        Bucket bucket = value(cache.bucket("bucket"));
        Staging staging = value(bucket.stage());
        return StagingOfCache{std::move(cache), std::move(bucket), std::move(staging)};
    };
    without_memory("copy from", scene, prepare, [&](StagingOfCache& prepared) {
        return prepared.staging.copy_from(scene.source());
    });
    without_memory("move from", scene, prepare, [&](StagingOfCache& prepared) {
        return prepared.staging.move_from(scene.movable());
    });
    without_memory("inside", scene, prepare, [&](StagingOfCache& prepared) -> Result<> {
        (void)prepared.staging.inside();
        return {};
    });
    for (const auto durability : {Durability::process, Durability::power}) {
        without_memory("publish", scene, prepare, [&](StagingOfCache& prepared) -> Result<> {
            const PublishOptions options{.durability = durability,
                                         .producer = "a producer with a name of some length"};
            return prepared.bucket.publish(key, std::move(prepared.staging), options)
                .map([](auto&&) {});
        });
    }
}

TEST_CASE("memory runs out: materialize, by one thread and by several") {
    Scene scene;
    for (const unsigned threads : {1U, 3U}) {
        for (const LinkMode mode : {LinkMode::automatic, LinkMode::copy}) {
            without_memory(
                "materialize", scene, [] { return 0; },
                [&](int) -> Result<> {
                    return materialize(scene.source(), scene.installed(),
                                       {.mode = mode, .replace = true, .threads = threads})
                        .map([](auto&&) {});
                });
        }
    }
}

TEST_CASE("memory runs out: publish starts a collection in the background") {
    Scene scene;
    without_memory(
        "publish", scene,
        [&] {
            Cache cache = scene.cache();
            Limits limits;
            limits.max_entries = 0;
            value(cache.keep_within(limits, {.every = std::chrono::seconds(0)}));
            Bucket bucket = value(cache.bucket("bucket"));
            Staging staging = value(bucket.stage());
            return StagingOfCache{std::move(cache), std::move(bucket), std::move(staging)};
        },
        [&](StagingOfCache& prepared) -> Result<> {
            auto published = prepared.bucket.publish(key, std::move(prepared.staging));
            // Wait for the collection while its memory is short as well.
            {
                const auto closed =
                    std::pair(std::move(prepared.cache), std::move(prepared.bucket));
            }
            return published.map([](auto&&) {});
        });
}

TEST_CASE("memory runs out: destroy a cache, and another call ends it") {
    for (const auto mode : {FAIL_ONCE, FAIL_FROM_NOW}) {
        Outcome outcome{.failures = 1};
        for (long n = 0; n < most_allocations && outcome.failures != 0; ++n) {
            INFO("allocation " << n << (mode == FAIL_ONCE ? "" : " and all later ones"));
            Scene scene;
            scene.restock();
            outcome = call_without_memory(n, mode, [&] { return Cache::destroy(scene.root()); });
            if (stands(scene.root())) value(Cache::destroy(scene.root()));
            CHECK_FALSE(stands(scene.root()));
        }
        CHECK(outcome.failures == 0);
    }
}

TEST_CASE("memory runs out: the message of an error") {
    Scene scene;
    const Error error{.code = Errc::system,
                      .step = "a step",
                      .path = "/a/path/that/is/longer/than/a/string",
                      .detail = "a text that is too long for a string to keep it in itself"};
    without_memory(
        "message", scene, [] { return 0; },
        [&](int) -> Result<> {
            (void)error.message();
            return {};
        });
}
