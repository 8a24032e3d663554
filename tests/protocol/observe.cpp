// SPDX-License-Identifier: MIT
// What a Cache tells of itself: events, their lines in a log, and counters.

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "observe/event_counters.hpp"
#include "observe/event_log.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

/// Hears events, from any thread, as "KIND bucket/key what=WHAT who=WHO entries=N bytes=N". Fields
/// that are empty or zero are left out.
class Ear {
public:
    [[nodiscard]] OpenOptions options() {
        OpenOptions options = test_options();
        options.count = true;
        options.on_event = [this](const Event& event) {
            std::string text(name_of(event.kind));
            if (!event.bucket.empty()) text.append(" ").append(event.bucket);
            if (!event.key.empty()) text.append("/").append(event.key);
            if (!event.what.empty()) text.append(" what=").append(event.what);
            if (!event.who.empty()) text.append(" who=").append(event.who);
            if (event.entries != 0) text.append(" entries=").append(std::to_string(event.entries));
            const std::lock_guard guard(mutex_);
            heard_.push_back(std::move(text));
            last_ = {event.at, event.took, std::string(event.id), event.bytes};
        };
        return options;
    }
    [[nodiscard]] std::vector<std::string> take() {
        const std::lock_guard guard(mutex_);
        return std::exchange(heard_, {});
    }
    struct Rest {
        WallTime at;
        std::chrono::nanoseconds took;
        std::string id;
        std::uint64_t bytes;
    };
    [[nodiscard]] Rest last() {
        const std::lock_guard guard(mutex_);
        return last_;
    }

private:
    std::mutex mutex_;
    std::vector<std::string> heard_;
    Rest last_{};
};

using Heard = std::vector<std::string>;

std::vector<std::string> lines_of(const fs::path& file) {
    std::istringstream text(read_file(file));
    std::vector<std::string> lines;
    for (std::string line; std::getline(text, line);) lines.push_back(line);
    return lines;
}

}  // namespace

TEST_CASE("a change of a cache is told to the Cache that made it, and to no other") {
    const Scene scene;
    Ear ear, other;
    const Cache cache = open_cache(scene.root, ear.options()),
                beside = open_cache(scene.root, other.options());
    const Bucket bucket = value(cache.bucket("b"));
    const auto before = std::chrono::system_clock::now();
    const std::string id = put(bucket, "k", "x").id();
    CHECK(ear.take() == Heard{"published b/k"});
    CHECK(ear.last().id == id);
    CHECK(ear.last().at >= before);
    CHECK(ear.last().at <= std::chrono::system_clock::now());

    value(bucket.remove("k"));
    CHECK(ear.take() == Heard{"removed b/k"});
    CHECK(outcome(bucket.remove("k")) == "miss");
    CHECK(ear.take().empty());

    const std::string again = value(cache.restore(id)).id();
    CHECK(ear.take() == Heard{"restored"});
    CHECK(ear.last().id == again);

    for (const char* key : {"a1", "a2"}) put(bucket, key, "x");
    CHECK(ear.take() == Heard{"published b/a1", "published b/a2"});
    CHECK(value(bucket.refresh({.pattern = "a*", .dry_run = true})) == 2);
    CHECK(ear.take().empty());
    CHECK(value(bucket.refresh({.pattern = "a*"})) == 2);
    CHECK(ear.take() == Heard{"refreshed b what=a* entries=2"});
    value(bucket.refresh());
    CHECK(ear.take() == Heard{"refreshed b"});

    (void)value(cache.collect({}, {.dry_run = true}));
    CHECK(ear.take().empty());
    const auto report = value(cache.collect());
    CHECK(ear.take() == Heard{"collected entries=" + std::to_string(report.entries)});
    CHECK(ear.last().bytes == report.bytes);
    CHECK(ear.last().took > 0ns);
    CHECK(other.take().empty());
}

TEST_CASE("a build is told as a publish, and an entry that is found is not told") {
    const Scene scene;
    Ear ear;
    const Bucket bucket = open_bucket(scene.root, ear.options());
    const auto build = [](Staging& staging) -> Result<> {
        fill(staging.path(), "x");
        return {};
    };
    (void)value(bucket.get_or_build("k", build));
    CHECK(ear.take() == Heard{"published b/k"});
    (void)value(bucket.get_or_build("k", build));
    CHECK(ear.take().empty());
}

TEST_CASE("evictions are told one by one, with the limit, and a dry run is not told") {
    const Scene scene;
    Ear ear;
    const Cache cache = open_cache(scene.root, ear.options());
    const std::string id = put(value(cache.bucket("b")), "k", "x").id();
    (void)ear.take();
    (void)value(cache.collect({.max_entries = 0}, {.dry_run = true}));
    CHECK(ear.take().empty());
    (void)value(cache.collect({.max_entries = 0}));
    CHECK(ear.take() == Heard{"evicted b/k what=max-entries", "collected entries=1"});
}

TEST_CASE("a wait is told with the lock's holder, while it lasts and when it is over") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    Child holder([&](Child&) { value(open_bucket(scene.root).remove("k")); },
                 {{"remove.checked"}, {}});
    holder.wait_for("remove.checked");
    Ear ear;
    const Bucket bucket = open_bucket(scene.root, ear.options());
    std::thread waiter([&] { put(bucket, "other", "x"); });
    Heard heard;
    eventually("a wait of a second is told", [&] {
        heard = ear.take();
        return !heard.empty();
    });
    REQUIRE(heard.size() == 1);
    const std::string who = "who=pid " + std::to_string(holder.pid()) + " (";
    CHECK(heard[0].starts_with("waiting what=bucket b " + who));
    holder.go_on();
    waiter.join();
    CHECK(holder.join() == 0);
    heard = ear.take();
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].starts_with("waited what=bucket b " + who));
    CHECK(heard[1] == "published b/other");
}

TEST_CASE("a wait is told after its lock is released, so that a slow listener delays no process") {
    const Scene scene;
    Child holder([&](Child&) { put(open_bucket(scene.root), "k", "x"); }, {{"publish.locked"}, {}});
    holder.wait_for("publish.locked");
    OpenOptions options = test_options();
    std::string others = "not asked";
    options.on_event = [&](const Event& event) {
        if (event.kind == Event::Kind::waited)
            others = outcome(open_hasty(scene.root).remove("none"));
    };
    const Bucket bucket = open_bucket(scene.root, options);
    const Lease lease = put(scene.bucket, "mine", "x");
    std::atomic<bool> waits{false};
    os::set_point_hook([&](const char* name) {
        if (name == std::string_view("lock.waiting")) waits = true;
        return 0;
    });
    std::thread waiter([&] { (void)bucket.remove("mine"); });
    eventually("it waits", [&] { return waits.load(); });
    holder.go_on();
    waiter.join();
    os::set_point_hook({});
    CHECK(holder.join() == 0);
    CHECK(others == "miss");
}

TEST_CASE(
    "a wait that was given up names the holder, and a build that goes on without the lock is "
    "told",
    "[not-windows]") {  // where the publish takes the lock twice, because it exchanges no names
    const Scene scene;
    const auto build = [](Staging& staging) -> Result<> {
        fill(staging.path(), "x");
        return {};
    };
    Child holder([&](Child&) { (void)value(open_bucket(scene.root).get_or_build("k", build)); },
                 {{"build.filled", "publish.locked"}, {}});
    holder.wait_for("build.filled");
    const std::string who = " who=pid " + std::to_string(holder.pid()) + " (";
    Ear ear;
    OpenOptions hasty = ear.options();
    hasty.lock_timeout = hasty.build_timeout = 0ms;
    const Bucket bucket = open_bucket(scene.root, hasty);
    (void)value(bucket.get_or_build("k", build));
    Heard heard = ear.take();
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].starts_with("gave_up what=build k" + who));
    CHECK(heard[1] == "published b/k");

    holder.go_on();
    holder.wait_for("publish.locked");
    CHECK(outcome(bucket.remove("k")) == "busy");
    heard = ear.take();
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].starts_with("gave_up what=bucket b" + who));
    holder.go_on();
    CHECK(holder.join() == 0);
    CHECK(value(open_cache(scene.root).status()).locks.empty());
}

TEST_CASE(
    "what a dead process left is told by the process that adopts its table, and by a collection") {
    TempDir dir;
    const fs::path root = dir.path() / "cache";
    const auto die = [&] {
        Child dead([&](Child&) { (void)value(open_bucket(root).stage()); }, {{}, {"stage.made"}});
        const std::string told = "takeover who=pid " + std::to_string(dead.pid()) + " (";
        CHECK(dead.join() == 128 + SIGKILL);
        return told;
    };
    (void)open_cache(root);
    std::string told = die();
    Ear ear;
    const Cache cache = open_cache(root, ear.options());
    put(value(cache.bucket("b")), "k", "x");
    Heard heard = ear.take();
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].starts_with(told));
    CHECK(heard[1] == "published b/k");

    told = die();
    CHECK(value(cache.collect()).reaped == 1);
    heard = ear.take();
    REQUIRE(heard.size() == 2);
    CHECK(heard[0].starts_with(told));
    CHECK(cache.counters().takeovers == 2);
}

TEST_CASE("repairs are told, by a verify and by a get that met a link to nowhere") {
    const Scene scene;
    Ear ear;
    const Cache cache = open_cache(scene.root, ear.options());
    const Bucket bucket = value(cache.bucket("b"));
    fs::remove_all(put(bucket, "gone", "x").path());
    fs::remove_all(put(bucket, "lost", "x").path());
    (void)ear.take();
    CHECK(outcome(bucket.get("gone")) == "miss");
    CHECK(ear.take() == Heard{"repaired b/gone what=a link to nowhere"});
    (void)value(cache.verify());
    CHECK(ear.take().empty());
    (void)value(cache.verify({.repair = true}));
    const Heard heard = ear.take();
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].starts_with(
        "repaired what=" + (keys_of(scene.root / "buckets" / "b") / "lost").string() + ": entry "));
    CHECK(cache.counters().repairs == 2);
}

TEST_CASE("the deletion of the cache's directory is told") {
    const Scene scene;
    Ear ear;
    const Bucket bucket = open_bucket(scene.root, ear.options());
    put(bucket, "k", "x");
    fs::remove_all(scene.root);
    (void)ear.take();
    put(bucket, "k", "x");
    CHECK(ear.take() == Heard{"reopened", "published b/k"});
}

TEST_CASE("a partial refresh that fails midway tells what it took") {
    const Scene scene;
    Ear ear;
    std::stop_source stop;
    OpenOptions options = ear.options();
    options.stop = stop.get_token();
    const Bucket bucket = open_bucket(scene.root, options);
    for (const char* key : {"1", "2", "3"}) put(scene.bucket, key, "x");
    RefreshOptions old{.pattern = "*"};
    old.on_taken = [&](const std::string&) { stop.request_stop(); };
    CHECK(outcome(bucket.refresh(old)) == "interrupted");
    CHECK(ear.take() == Heard{"refreshed b what=* entries=1"});
}

TEST_CASE("a collection that a full disk forces is told as any other") {
    const Scene scene;
    Ear ear;
    const Cache cache = open_cache(scene.root, ear.options());
    put(scene.bucket, "k", "x");
    value(scene.bucket.remove("k"));
    put(scene.bucket, "k", "x");
    const FailingHere failing({{"refresh.rename", ENOSPC}});
    CHECK(outcome(value(cache.bucket("b")).refresh()) == "no_space");
    CHECK(ear.take() == Heard{"collected entries=1"});
    CHECK(cache.counters().deleted == 1);
}

TEST_CASE("an exception that a listener throws does no harm") {
    const Scene scene;
    OpenOptions options = test_options();
    options.on_event = [](const Event&) { throw std::runtime_error("not my day"); };
    const Bucket bucket = open_bucket(scene.root, options);
    put(bucket, "k", "x");
    CHECK(content_of(bucket, "k") == "x");
}

TEST_CASE("counters add up what was done, by all threads, and by this Cache alone") {
    const Scene scene;
    OpenOptions options = test_options();
    CHECK(open_cache(scene.root, options).counters().hits == 0);
    options.count = true;
    const Cache cache = open_cache(scene.root, options);
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "1234");
    put(scene.bucket, "else", "x");
    std::vector<std::thread> threads;
    for (int i = 0; i < 20; ++i) {  // more than there are shards
        threads.emplace_back([&] {
            for (int n = 0; n < 100; ++n) (void)value(bucket.get("k"));
            (void)bucket.get("none");
        });
    }
    for (auto& thread : threads) thread.join();
    (void)value(cache.collect({.max_entries = 1, .low_water = 100}));
    value(bucket.refresh());
    const auto collected = value(cache.collect());
    const Counters counters = cache.counters();
    CHECK(counters.hits == 2000);
    CHECK(counters.misses == 20);
    CHECK(counters.published == 1);
    CHECK(counters.evicted == 1);
    CHECK(counters.evicted_bytes > 0);
    CHECK(counters.refreshed == 1);
    CHECK(counters.collections == 2);
    CHECK(counters.deleted == 2);
    CHECK(counters.deleted_bytes == counters.evicted_bytes + collected.bytes);
    CHECK(counters.removed + counters.restored + counters.takeovers + counters.repairs +
              counters.reopened ==
          0);
    CHECK(counters.given_up == 0);

    Child child([&](Child& self) {
        (void)bucket.get("none");
        self.say(std::to_string(cache.counters().misses));
    });
    CHECK(child.listen() == "21");
    CHECK(child.join() == 0);
    CHECK(cache.counters().misses == 20);
}

TEST_CASE(
    "every event is one line of the log, whichever process writes it and whatever its key holds") {
    const Scene scene;
    OpenOptions options = test_options();
    options.log = scene.dir.path() / "log";
    const std::string hostile = "k\" event=forged\n2026-01-01 \\ \x7f";
    put(open_bucket(scene.root, options), hostile, "x");
    auto lines = lines_of(options.log);
    REQUIRE(lines.size() == 1);
    CHECK(contains(lines[0], "Z pid=" + std::to_string(::getpid()) + " thread="));
    CHECK(contains(
        lines[0],
        R"( event=published bucket="b" key="k\" event=forged\u000a2026-01-01 \\ \u007f" id=")"));
    CHECK((fs::status(options.log).permissions() & fs::perms::all) ==
          (fs::perms::owner_read | fs::perms::owner_write));

    std::vector<std::unique_ptr<Child>> children;
    for (int i = 0; i < 4; ++i) {
        children.push_back(std::make_unique<Child>([&, i](Child&) {
            const Bucket bucket = open_bucket(scene.root, options);
            for (int n = 0; n < 50; ++n)
                put(bucket, std::to_string(i) + "-" + std::to_string(n), "x");
        }));
    }
    for (auto& child : children) CHECK(child->join() == 0);
    lines = lines_of(options.log);
    std::size_t published = 0;
    for (const auto& line : lines) {
        if (line.empty()) continue;  // between lines of two processes that wrote at once
        CHECK(line.starts_with("20"));
        published +=
            contains(line, " event=published bucket=\"b\" key=\"") && line.ends_with("\"") ? 1 : 0;
    }
    CHECK(published == 201);
}

TEST_CASE("a line leaves out fields that are empty") {
    const WallTime at{std::chrono::duration_cast<WallTime::duration>(
        std::chrono::microseconds(1'769'903'998'000'250))};
    const std::string line = observe::to_line({.kind = Event::Kind::collected,
                                               .at = at,
                                               .took = 1'000'250us,
                                               .entries = 3,
                                               .bytes = 4096});
    CHECK(line.starts_with("2026-01-31T23:59:58.000250Z pid="));
    CHECK(line.ends_with(" event=collected took=1.000250 entries=3 bytes=4096\n"));
}

TEST_CASE("a line of the log escapes what ends a line or controls a terminal") {
    const auto key_in = [](std::string_view key) {
        const std::string line = observe::to_line({.kind = Event::Kind::removed, .key = key});
        const auto begin = line.find("key=") + 4;
        return line.substr(begin, line.size() - begin - 1);
    };
    CHECK(key_in("a\u0085b\u009bc\u0080d\u009fe") == R"("a\u0085b\u009bc\u0080d\u009fe")");
    CHECK(key_in("a\u2028b\u2029c") == R"("a\u2028b\u2029c")");
    CHECK(key_in("\x01\n\x7f\"\\") == R"("\u0001\u000a\u007f\"\\")");
    CHECK(key_in("\x9b\xc3") == R"("\ufffd\ufffd")");
    CHECK(key_in("\u00a0\u00e4\u2027\u202a\U0001f980") == "\"\u00a0\u00e4\u2027\u202a\U0001f980\"");
}

TEST_CASE("a line that a full disk has cut off does not swallow the next one") {
    TempDir dir;
    const fs::path log = dir.path() / "log";
    write_file(log, "2026-01-31T23:59:58.123456Z pid=4711 thread=4711 event=publ");
    OpenOptions options = test_options();
    options.log = log;
    {
        const Cache cache = open_cache(dir.path() / "cache", options);
        (void)put(value(cache.bucket("b")), "k", "x");
        value(value(cache.bucket("b")).remove("k"));
    }
    std::vector<std::string> lines;
    std::ifstream file(log);
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    REQUIRE(lines.size() == 3);
    CHECK(lines[0].ends_with("event=publ"));
    CHECK(contains(lines[1], " event=published bucket=\"b\" key=\"k\""));
    CHECK(contains(lines[2], " event=removed bucket=\"b\" key=\"k\""));
}

TEST_CASE("a log that can't be opened is an error before anything is made") {
    TempDir dir;
    OpenOptions options = test_options();
    options.log = dir.path() / "none" / "log";
    const auto opened = Cache::open(dir.path() / "cache", options);
    REQUIRE(!opened);
    CHECK(opened.error().path == options.log);
    options.log = dir.path() / "pipe";
    REQUIRE(::mkfifo(options.log.c_str(), 0600) == 0);
    CHECK_FALSE(Cache::open(dir.path() / "cache", options));  // open does not wait for a reader
    CHECK_FALSE(fs::exists(dir.path() / "cache"));
}

TEST_CASE(
    "counters of bytes and of time stay at their largest value, in one thread and in several") {
    constexpr auto most = std::numeric_limits<std::uint64_t>::max();
    for (const bool many : {false, true}) {
        observe::EventCounters counted;
        const auto hear = [&] {
            counted.on_event({.kind = Event::Kind::evicted, .bytes = most / 2 + 1});
            counted.on_event({.kind = Event::Kind::collected, .entries = 1, .bytes = most / 2 + 1});
            counted.on_event(
                {.kind = Event::Kind::waited, .took = std::chrono::nanoseconds::max()});
        };
        for (int i = 0; i < 3; ++i) {
            if (many) {
                std::thread(hear).join();
            } else {
                hear();
            }
        }
        const Counters counters = counted.counters();
        CHECK(counters.evicted == 3);
        CHECK(counters.evicted_bytes == most);
        CHECK(counters.deleted == 3);
        CHECK(counters.deleted_bytes == most);
        CHECK(counters.waits == 3);
        CHECK(counters.waited == std::chrono::nanoseconds::max());
    }
}
