// SPDX-License-Identifier: MIT
// Build once: single flight among threads and processes. No wait for a dead process, in a circle of
// builds, or without end.

#include <future>
#include <latch>
#include <memory>
#include <mutex>

#include "catch.hpp"
#include "os/file.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// A file whose length is the number of builds.
class Count {
public:
    explicit Count(const Scene& scene) : path_(scene.dir.path() / "count") {
        write_file(path_, "");
    }
    void add() const { value(os::write_all(value(os::open_to_append(path_)), "x", path_)); }
    [[nodiscard]] std::size_t built() const { return read_file(path_).size(); }

private:
    fs::path path_;
};

Bucket::Build counted(const Count& count) {
    return [&count](Staging& stage) -> Result<> {
        count.add();
        fill(stage.path(), "built");
        return {};
    };
}

/// A process that builds "k", and is held when it has filled its Staging.
class HeldBuilder : public Child {
public:
    HeldBuilder(const Scene& scene, const Count& count)
        : Child(
              [&](Child&) {
                  (void)value(open_bucket(scene.root).get_or_build("k", counted(count)));
              },
              {{"build.filled"}, {}}) {
        wait_for("build.filled");
    }
};

std::size_t waiting_for(const Scene& scene, const std::string& what) {
    std::size_t waiting = 0;
    for (const auto& lock : value(scene.cache.status()).locks) {
        if (lock.waiting && lock.what == what) ++waiting;
    }
    return waiting;
}

/// Starts `how_many` processes that build "k" or wait for it. Each checks what it got, and exits
/// with 0.
std::vector<std::unique_ptr<Child>> wanting(const Scene& scene, const Count& count,
                                            std::size_t how_many) {
    std::vector<std::unique_ptr<Child>> children;
    while (children.size() < how_many) {
        children.push_back(std::make_unique<Child>([&](Child&) {
            const Lease lease = value(open_bucket(scene.root).get_or_build("k", counted(count)));
            Child::must(content_of(lease) == "built", "not what was built");
        }));
    }
    eventually("all wait", [&] { return waiting_for(scene, "build k") == how_many; });
    return children;
}

void join_all(const std::vector<std::unique_ptr<Child>>& children) {
    for (const auto& child : children) CHECK(child->join() == 0);
}

}  // namespace

TEST_CASE("an entry that exists is not built") {
    const Scene scene;
    const Count count(scene);
    put(scene.bucket, "k", "there");
    CHECK(content_of(value(scene.bucket.get_or_build("k", counted(count)))) == "there");
    CHECK(count.built() == 0);
}

TEST_CASE("nine processes wait while one builds: the entry is built once") {
    // 1. B holds the build's lock, and has filled its Staging
    // 2. nine others wait
    // 3. B publishes
    const Scene scene;
    const Count count(scene);
    HeldBuilder builder(scene, count);
    const auto others = wanting(scene, count, 9);
    builder.go_on();
    CHECK(builder.join() == 0);
    join_all(others);
    CHECK(count.built() == 1);
    require_no_leak(scene.root, 1);
}

TEST_CASE("a builder is killed while nine others wait: exactly one takes over") {
    for (const std::string point : {"build.locked", "build.filled", "publish.leased"}) {
        INFO("killed at " << point);
        const Scene scene;
        const Count count(scene);
        Child builder(
            [&](Child&) { (void)value(open_bucket(scene.root).get_or_build("k", counted(count))); },
            {{point}, {}});
        builder.wait_for(point);
        const auto others = wanting(scene, count, 9);
        const std::size_t before = count.built();
        builder.kill();
        join_all(others);
        CHECK(count.built() == before + 1);
        require_no_leak(scene.root, 1);
    }
}

TEST_CASE("a build that fails is an error of its own caller; the next process that waits builds") {
    const Scene scene;
    const Count count(scene);
    Child builder([&](Child& child) {
        const auto lease =
            open_bucket(scene.root).get_or_build("k", [&](Staging& stage) -> Result<> {
                fill(stage.path(), "half");
                child.say("building");
                child.hear();
                return tl::make_unexpected(Error{Errc::unsupported, 0, "unzip", {}, "no luck"});
            });
        Child::must(
            !lease && lease.error().code == Errc::unsupported && lease.error().detail == "no luck",
            "not the build's own error");
    });
    builder.wait_for("building");
    const auto others = wanting(scene, count, 3);
    builder.go_on();
    CHECK(builder.join() == 0);
    join_all(others);
    CHECK(count.built() == 1);
    require_no_leak(scene.root, 1);
}

TEST_CASE("an exception that leaves a build leaves nothing staged and no lock held") {
    const Scene scene;
    const Count count(scene);
    struct Thrown {};
    const auto build_and_throw = [&] {
        (void)scene.bucket.get_or_build("k", [](Staging& stage) -> Result<> {
            fill(stage.path(), "half");
            throw Thrown{};
        });
    };
    CHECK_THROWS_AS(build_and_throw(), Thrown);
    for (const auto& area : fs::directory_iterator(scene.root / "staging"))
        CHECK(count_entries(area.path()) == 0);
    CHECK(value(scene.cache.status()).locks.empty());
    CHECK(content_of(value(scene.bucket.get_or_build("k", counted(count)))) == "built");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a build that moves its Staging away is an error, and leaves nothing") {
    const Scene scene;
    const auto lease = scene.bucket.get_or_build("k", [](Staging& stage) -> Result<> {
        const Staging mine = std::move(stage);
        return {};
    });
    CHECK(outcome(lease) == "invalid");
    require_no_leak(scene.root, 0);
}

TEST_CASE("a build may build what it needs") {
    const Scene scene;
    const Count count(scene);
    const auto lease = scene.bucket.get_or_build("k1", [&](Staging& stage) -> Result<> {
        const auto needed = scene.bucket.get_or_build("k2", [&](Staging& inner) -> Result<> {
            const auto deepest = scene.bucket.get_or_build("k3", counted(count));
            if (!deepest) return tl::make_unexpected(deepest.error());
            fill(inner.path(), "two");
            return {};
        });
        if (!needed) return tl::make_unexpected(needed.error());
        fill(stage.path(), "one+" + content_of(*needed));
        return {};
    });
    CHECK(content_of(value(scene.bucket.get("k1"))) == "one+two");
    CHECK(content_of(scene.bucket, "k3") == "built");
    CHECK(value(scene.cache.status()).locks.empty());
}

TEST_CASE("a build that asks for its own key is a caller's mistake, and an error at once") {
    const Scene scene;
    std::string inner, nested;
    const auto lease = scene.bucket.get_or_build("k", [&](Staging& stage) -> Result<> {
        inner = outcome(scene.bucket.get_or_build("k", [](Staging&) -> Result<> { return {}; }));
        const auto other = scene.bucket.get_or_build("k2", [&](Staging& needed) -> Result<> {
            nested =
                outcome(scene.bucket.get_or_build("k", [](Staging&) -> Result<> { return {}; }));
            fill(needed.path(), "two");
            return {};
        });
        CHECK(outcome(other) == "ok");
        fill(stage.path(), "one");
        return {};
    });
    CHECK(outcome(lease) == "ok");
    CHECK(inner == "invalid");
    CHECK(nested == "invalid");
    // The same key of another bucket is another key.
    const Bucket other = value(scene.cache.bucket("b2"));
    CHECK(outcome(other.get_or_build("k3", [&](Staging& stage) -> Result<> {
              fill(stage.path(), "three");
              const auto same = scene.bucket.get_or_build("k3", [](Staging& in) -> Result<> {
                  fill(in.path(), "three");
                  return {};
              });
              return same ? Result<>() : tl::make_unexpected(same.error());
          })) == "ok");
}

TEST_CASE("two builds that need each other's keys both end, and both are built") {
    // 1. A builds k1, B builds k2
    // 2. each asks for the other's key
    const Scene scene;
    const auto build = [&](Child& child, const std::string& key, const std::string& needs) {
        const Bucket bucket = open_bucket(scene.root);
        const auto lease = bucket.get_or_build(key, [&](Staging& stage) -> Result<> {
            child.say("building");
            child.hear();
            const auto needed = bucket.get_or_build(needs, [&](Staging& inner) -> Result<> {
                fill(inner.path(), needs);
                return {};
            });
            if (!needed) return tl::make_unexpected(needed.error());
            Child::must(content_of(*needed) == needs, "not what was needed");
            fill(stage.path(), key);
            return {};
        });
        Child::must(content_of(value(bucket.get(key))) == key, "not what was built");
        Child::must(lease.has_value(), "no lease");
        child.say("built");
    };
    Child a([&](Child&child) { build(child, "k1", "k2"); }),
        b([&](Child&child) { build(child, "k2", "k1"); });
    a.wait_for("building");
    b.wait_for("building");
    a.go_on();
    b.go_on();
    a.wait_for("built");
    b.wait_for("built");
    CHECK(a.join() == 0);
    CHECK(b.join() == 0);
    require_no_leak(scene.root, 2);
}

TEST_CASE("two threads whose builds over two caches need each other's key both end") {
    // 1. one thread builds k1 in one cache, the other one builds k2 in another cache
    // 2. each asks for the other's key
    const Scene one, other;
    std::latch both_build(2);
    std::mutex mutex;
    std::vector<std::string> circles;
    OpenOptions options = test_options();
    options.on_event = [&](const Event& event) {
        const std::lock_guard guard(mutex);
        if (event.kind == Event::Kind::gave_up) circles.emplace_back(event.who);
    };
    const auto build = [&](const Scene& mine, const Scene& others, const std::string& key,
                           const std::string& needs) {
        const Bucket bucket = open_bucket(mine.root, options),
                     from = open_bucket(others.root, options);
        return outcome(bucket.get_or_build(key, [&](Staging& stage) -> Result<> {
            fill(stage.path(), key);
            both_build.arrive_and_wait();
            const auto needed = from.get_or_build(needs, [&](Staging& inner) -> Result<> {
                fill(inner.path(), needs);
                return {};
            });
            return needed ? Result<>() : tl::make_unexpected(needed.error());
        }));
    };
    auto second = std::async(std::launch::async, build, std::ref(other), std::ref(one), "k2", "k1");
    CHECK(build(one, other, "k1", "k2") == "ok");
    CHECK(second.get() == "ok");
    REQUIRE_FALSE(circles.empty());
    for (const auto& circle : circles) {
        CHECK(contains(circle, "build k1 by pid "));
        CHECK(contains(circle, "build k2 by pid "));
        CHECK(contains(circle, ", which waits for this one"));
    }
    require_no_leak(one.root, 1);
    require_no_leak(other.root, 1);
}

TEST_CASE("a child that a build has forked, and that asks for the build's own key, is told so") {
    const Scene scene;
    const auto lease = scene.bucket.get_or_build("k", [&](Staging& stage) -> Result<> {
        fill(stage.path(), "built");
        Child child([&](Child& self) {
            const auto got = scene.bucket.get_or_build("k", [](Staging&) { return Result<>(); });
            self.say(outcome(got));
        });
        CHECK(child.listen() == "invalid");
        CHECK(child.join() == 0);
        return {};
    });
    CHECK(outcome(lease) == "ok");
    require_no_leak(scene.root, 1);
}

TEST_CASE(
    "a circle that is gone at the second look is none: the process that saw it once waits on") {
    // 1. A builds "x" and waits for "y"; B builds "y" and waits for "x"
    // 2. A sees the circle once; B sees it, builds "x" without the lock, and waits for no process
    // 3. A looks again: B builds "y", and A has to wait for it
    const Scene scene;
    const Count y_built(scene);
    const auto needs = [&](const Bucket& bucket, const char* key, const Bucket::Build& build,
                           Child& child, const char* then) {
        return [&, key, build, then](Staging& stage) -> Result<> {
            child.say("builds");
            child.hear();
            if (const auto got = bucket.get_or_build(key, build); !got)
                return tl::make_unexpected(got.error());
            child.say(then);
            child.hear();
            fill(stage.path(), "built");
            return {};
        };
    };
    const Bucket::Build plain = [](Staging& stage) -> Result<> {
        fill(stage.path(), "built");
        return {};
    };
    Child a([&](Child& child) {
        const Bucket bucket = open_bucket(scene.root);
        const Bucket::Build build_y = [&](Staging& stage) {
            child.say("A builds y");
            return counted(y_built)(stage);
        };
        bool seen = false;
        const auto watched = needs(bucket, "y", build_y, child, "A has y");
        os::set_point_hook([&](const char* name) {
            if (name == std::string("build.circle-seen") && !seen) {
                seen = true;
                child.say(name);
                child.hear();
            } else if (name == std::string("build.waiting") && seen) {
                child.say("A waits on");
                child.hear();
                seen = false;  // once is enough
            }
            return 0;
        });
        Child::must(bucket.get_or_build("x", watched));
    });
    Child b([&](Child& child) {
        const Bucket bucket = open_bucket(scene.root);
        bool waits = false;
        os::set_point_hook([&](const char* name) {
            if (name == std::string("build.waiting") && !std::exchange(waits, true)) {
                child.say("B waits");
                child.hear();
            }
            return 0;
        });
        Child::must(bucket.get_or_build("y", [&](Staging& stage) -> Result<> {
            y_built.add();
            return needs(bucket, "x", plain, child, "B has x")(stage);
        }));
    });
    a.wait_for("builds");
    b.wait_for("builds");
    b.go_on();
    b.wait_for("B waits");  // B must not look for circles before A has seen this one
    a.go_on();
    a.wait_for("build.circle-seen");
    b.go_on();
    b.wait_for("B has x");
    a.go_on();
    a.wait_for("A waits on");
    b.go_on();
    CHECK(b.join() == 0);
    a.go_on();
    a.wait_for("A has y");
    a.go_on();
    CHECK(a.join() == 0);
    CHECK(y_built.built() == 1);
    require_no_leak(scene.root, 2);
}

TEST_CASE(
    "two processes that wait for each other in different threads are no circle: each key is built "
    "once") {
    // 1. A builds k1 in one thread, B builds k2 in one thread
    // 2. a second thread of A waits for k2, a second thread of B for k1
    // 3. both waits last longer than a process waits before it looks for a circle
    const Scene scene;
    const Count count(scene);
    const auto run = [&](Child& child, const std::string& key, const std::string& wants) {
        const Bucket bucket = open_bucket(scene.root);
        std::future<std::string> second;
        (void)value(bucket.get_or_build(key, [&](Staging& stage) -> Result<> {
            child.say("building");
            child.hear();
            second = std::async(std::launch::async, [&] {
                return outcome(bucket.get_or_build(wants, counted(count)));
            });
            child.say("waiting");
            child.hear();
            return counted(count)(stage);
        }));
        Child::must(second.get() == "ok", "the second thread failed");
    };
    Child a([&](Child&child) { run(child, "k1", "k2"); }),
        b([&](Child&child) { run(child, "k2", "k1"); });
    for (Child* each : {&a, &b}) each->wait_for("building");
    for (Child* each : {&a, &b}) each->go_on();
    for (Child* each : {&a, &b}) each->wait_for("waiting");
    const auto waited = [&](const std::string& what) {
        for (const auto& lock : value(scene.cache.status()).locks) {
            if (lock.waiting && lock.what == what)
                return std::chrono::system_clock::now() - lock.since >
                       std::chrono::milliseconds(300);
        }
        return false;
    };
    eventually("both wait, and have done so for long",
               [&] { return waited("build k1") && waited("build k2"); });
    CHECK(count.built() == 0);
    a.go_on();
    b.go_on();
    CHECK(a.join() == 0);
    CHECK(b.join() == 0);
    CHECK(count.built() == 2);
    require_no_leak(scene.root, 2);
}

TEST_CASE(
    "a process that waits for a build can be seen, and is told after a second for which process it "
    "waits") {
    const Scene scene;
    const Count count(scene);
    HeldBuilder builder(scene, count);
    Child waiter([&](Child& child) {
        OpenOptions options = test_options();
        options.on_wait = [&](const std::string& message) { child.say(message); };
        (void)value(open_bucket(scene.root, options).get_or_build("k", counted(count)));
    });
    eventually("the wait is seen", [&] { return waiting_for(scene, "build k") == 1; });
    bool holds = false, waits = false;
    for (const auto& lock : value(scene.cache.status()).locks) {
        holds =
            holds || (!lock.waiting && lock.process.pid == builder.pid() && lock.what == "build k");
        waits =
            waits || (lock.waiting && lock.process.pid == waiter.pid() && lock.what == "build k");
    }
    CHECK(holds);
    CHECK(waits);
    CHECK(contains(waiter.listen(), "waiting for pid " + std::to_string(builder.pid()) + " ("));
    builder.go_on();
    CHECK(builder.join() == 0);
    CHECK(waiter.listen() == "");
    CHECK(waiter.join() == 0);
    CHECK(count.built() == 1);
    CHECK(value(scene.cache.status()).locks.empty());
}

TEST_CASE("a wait asks its caller whether it goes on, and ends at once if it does not") {
    const Scene scene;
    const Count count(scene);
    put(scene.bucket, "other", "old");
    HeldBuilder builder(scene, count);
    Child remover([&](Child&) { (void)open_bucket(scene.root).remove("other"); },
                  {{"remove.locked"}, {}});
    remover.wait_for("remove.locked");
    for (const bool throws : {false, true}) {
        INFO("it throws: " << throws);
        int asked = 0;
        OpenOptions options = test_options();
        options.keep_waiting = [&] {
            if (++asked < 3) return true;
            if (throws) throw std::runtime_error("no more");
            return false;
        };
        const Bucket bucket = open_bucket(scene.root, options);
        CHECK(outcome(bucket.get_or_build("k", counted(count))) == "interrupted");
        CHECK(asked == 3);
        CHECK(outcome(bucket.remove("k")) == "interrupted");
        CHECK(asked == 4);
        CHECK(outcome(try_put(bucket, "k2", "new")) == "interrupted");
        CHECK(asked == 5);
    }
    remover.go_on();
    CHECK(remover.join() == 0);
    builder.go_on();
    CHECK(builder.join() == 0);
    CHECK(count.built() == 1);
    require_no_leak(scene.root, 1);
}

TEST_CASE("what was built is kept while a remove that was stopped holds the bucket's lock") {
    // 1. R was stopped while it holds the bucket's lock
    // 2. B builds, and its publish waits, for longer than lock_timeout
    // 3. R goes on
    const Scene scene;
    const Count count(scene);
    put(scene.bucket, "other", "old");
    Child remover([&](Child&) { (void)open_bucket(scene.root).remove("other"); },
                  {{"remove.locked"}, {}});
    remover.wait_for("remove.locked");
    remover.stop();
    Child builder([&](Child& child) {
        const Bucket bucket = open_hasty(scene.root);
        int waited = 0;
        os::set_point_hook([&](const char* name) {
            if (name == std::string("lock.waiting") && ++waited == 3) child.say("waits");
            return 0;
        });
        (void)value(bucket.get_or_build("k", counted(count)));
    });
    builder.wait_for("waits");
    remover.resume();
    remover.go_on();
    CHECK(remover.join() == 0);
    CHECK(builder.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "built");
    CHECK(count.built() == 1);
    require_no_leak(scene.root, 1);
}

TEST_CASE("a wait that has lasted for the build's time limit ends in building without the lock") {
    const Scene scene;
    const Count count(scene);
    HeldBuilder builder(scene, count);
    OpenOptions options = test_options();
    options.build_timeout = std::chrono::milliseconds(1);
    CHECK(content_of(value(open_bucket(scene.root, options).get_or_build("k", counted(count)))) ==
          "built");
    CHECK(count.built() == 2);
    builder.go_on();
    CHECK(builder.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("a wait for a stopped builder ends at the limit") {
    const Scene scene;
    const Count count(scene);
    Child builder(
        [&](Child&) { (void)value(open_bucket(scene.root).get_or_build("k", counted(count))); },
        {{"build.locked"}, {}});
    builder.wait_for("build.locked");
    builder.stop();
    OpenOptions options = test_options();
    options.build_timeout = {};
    CHECK(content_of(value(open_bucket(scene.root, options).get_or_build("k", counted(count)))) ==
          "built");
    builder.resume();
    builder.go_on();
    CHECK(builder.join() == 0);
    CHECK(count.built() == 1);
}

TEST_CASE("a stop token ends the wait for a build") {
    const Scene scene;
    const Count count(scene);
    HeldBuilder builder(scene, count);
    std::stop_source stop;
    auto waiter = std::async(std::launch::async, [&] {
        OpenOptions options = test_options();
        options.stop = stop.get_token();
        const auto lease = open_bucket(scene.root, options).get_or_build("k", counted(count));
        return lease ? std::string("a lease") : outcome(lease) + ": " + lease.error().message();
    });
    eventually("the wait is seen", [&] { return waiting_for(scene, "build k") == 1; });
    stop.request_stop();
    const std::string heard = waiter.get();
    CHECK(heard.starts_with("interrupted: "));
    CHECK(contains(heard, "pid " + std::to_string(builder.pid())));
    CHECK(value(scene.cache.status()).locks.size() == 1);
    builder.go_on();
    CHECK(builder.join() == 0);
    CHECK(count.built() == 1);
}

TEST_CASE("threads of one process count as processes do: one builds while the rest wait") {
    const Scene scene;
    const Count count(scene);
    const auto build = [&](Staging& stage) -> Result<> {
        eventually("three threads wait", [&] { return waiting_for(scene, "build k") == 3; });
        return counted(count)(stage);
    };
    std::vector<std::future<std::string>> threads;
    for (int i = 0; i < 4; ++i) {
        // Some use the same Bucket, and some use one of their own.
        threads.push_back(std::async(std::launch::async, [&, own = i % 2 == 0] {
            const auto lease = own ? open_bucket(scene.root).get_or_build("k", build)
                                   : scene.bucket.get_or_build("k", build);
            return lease ? content_of(*lease) : lease.error().message();
        }));
    }
    for (auto& thread : threads) CHECK(thread.get() == "built");
    CHECK(count.built() == 1);
    require_no_leak(scene.root, 1);
}

TEST_CASE("more builds at a time than one table can hold: all go on, and all are seen") {
    const Scene scene;
    constexpr int threads_at_once = 60;
    std::latch all_build(threads_at_once), looked(1);
    std::vector<std::future<std::string>> threads;
    for (int i = 0; i < threads_at_once; ++i) {
        threads.push_back(std::async(std::launch::async, [&, key = "k" + std::to_string(i)] {
            return outcome(scene.bucket.get_or_build(key, [&](Staging& stage) -> Result<> {
                all_build.count_down();
                looked.wait();
                fill(stage.path(), key);
                return {};
            }));
        }));
    }
    all_build.wait();
    CHECK(value(scene.cache.status()).locks.size() == threads_at_once);
    looked.count_down();
    for (auto& thread : threads) CHECK(thread.get() == "ok");
    CHECK(value(scene.cache.status()).locks.empty());
    require_no_leak(scene.root, threads_at_once);
}

TEST_CASE("the same key of another cache is another build") {
    const TempDir dir;
    const Cache near = open_cache(dir.path() / "near"), far = open_cache(dir.path() / "far");
    const Bucket near_bucket = value(near.bucket("b")), far_bucket = value(far.bucket("b"));
    const auto fetched = near_bucket.get_or_build("k", [&](Staging& stage) -> Result<> {
        const auto lease = far_bucket.get_or_build("k", [](Staging& inner) -> Result<> {
            fill(inner.path(), "content");
            return {};
        });
        if (!lease) return tl::make_unexpected(lease.error());
        return stage.copy_from(lease->path());
    });
    REQUIRE(fetched);
    CHECK(content_of(*fetched) == "content");
}
