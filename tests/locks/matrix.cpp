// SPDX-License-Identifier: MIT
// The lock matrix: which operation waits for which, across processes and within one.

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <tuple>

#include "catch.hpp"
#include "os/process.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;
using namespace std::chrono_literals;

namespace {

const Bucket::Build build_something = [](Staging& staging) -> Result<> {
    fill(staging.path(), "built");
    return {};
};

/// Puts "k" and "doomed" in the bucket "b", and "k" in another bucket.
void prepare(const Cache& cache) {
    put(value(cache.bucket("b")), "k", "old");
    put(value(cache.bucket("b")), "doomed", "old");
    put(value(cache.bucket("elsewhere")), "k", "old");
}

template <class T>
std::string told(const Result<T>& result) {
    if (result) return ".";
    if (result.error().code == Errc::interrupted) return "W";
    if (result.error().code == Errc::busy) return "B";
    return result.error().message();
}

std::string publish(const Cache& cache, const std::string& bucket, const std::string& key) {
    auto staging = value(value(cache.bucket(bucket)).stage());
    fill(staging.path(), "new");
    return told(value(cache.bucket(bucket)).publish(key, std::move(staging)));
}

std::string verify(const Cache& cache) {
    const auto report = cache.verify();
    return report && !report->sound() ? "unsound" : told(report);
}

using Operation = std::function<std::string(const Cache&)>;

const std::map<std::string, Operation> operations{
    {"get", [](const Cache& cache) { return told(value(cache.bucket("b")).get("k")); }},
    {"publish", [](const Cache& cache) { return publish(cache, "b", "new"); }},
    {"replace", [](const Cache& cache) { return publish(cache, "b", "k"); }},
    {"publish elsewhere", [](const Cache& cache) { return publish(cache, "elsewhere", "k"); }},
    {"remove", [](const Cache& cache) { return told(value(cache.bucket("b")).remove("doomed")); }},
    {"remove another",
     [](const Cache& cache) { return told(value(cache.bucket("b")).remove("k")); }},
    {"remove elsewhere",
     [](const Cache& cache) { return told(value(cache.bucket("elsewhere")).remove("k")); }},
    {"refresh", [](const Cache& cache) { return told(value(cache.bucket("b")).refresh()); }},
    {"collect", [](const Cache& cache) { return told(cache.collect()); }},
    {"verify", verify},
    {"build",
     [](const Cache& cache) {
         return told(value(cache.bucket("b")).get_or_build("made", build_something));
     }},
    {"build another",
     [](const Cache& cache) {
         return told(value(cache.bucket("b")).get_or_build("another", build_something));
     }},
    {"build elsewhere",
     [](const Cache& cache) {
         return told(value(cache.bucket("elsewhere")).get_or_build("made", build_something));
     }},
};

/// They are tried in this order while the holder is held. None of them changes which locks the next
/// one finds taken.
const std::vector<std::string> columns{
    "get",    "replace", "publish elsewhere", "remove another",  "remove elsewhere", "collect",
    "verify", "build",   "build another",     "build elsewhere", "refresh"};

struct Row {
    const char* held;
    const char* at;
    const char* outcomes;  ///< for each column: "." goes on, "W" waits, "B" is `busy` at once
};

// clang-format off
//                                          get
//                                          | replace
//                                          | | publish elsewhere
//                                          | | | remove another
//                                          | | | | remove elsewhere
//                                          | | | | | collect
//                                          | | | | | | verify
//                                          | | | | | | | build
//                                          | | | | | | | | build another
//                                          | | | | | | | | | build elsewhere
//                                          | | | | | | | | | | refresh
const Row matrix[] = {
    {"get",     "get.stored",              ". . . . . . . . . . ."},
    {"publish", "publish.leased",          ". . . . . . . . . . ."},
    {"publish", "publish.locked",          ". . . W . . . . . . ."},
    {"replace", "publish.before-exchange", ". . . W . . . . . . ."},
    {"publish", "publish.placed",          ". . . . . . . . . . ."},
    {"remove",  "lock.at-gate",            ". W . W . . . W W . ."},
    {"remove",  "remove.checked",          ". W . W . . . W W . ."},
    {"refresh", "refresh.begun",           ". . . . . . . . . . ."},
    {"collect", "collect.locked",          ". . . . . B B . . . ."},
    {"collect", "collect.scanned",         ". . . . . B B . . . ."},
    {"collect", "collect.unlocked",        ". . . . . . . . . . ."},
    {"verify",  "verify.archive-listed",   ". . . . . B B . . . ."},
    {"build",   "build.locked",            ". . . . . . . W . . ."},
    {"build",   "build.filled",            ". . . . . . . W . . ."},
};
// clang-format on

/// Tries all operations, in a cache whose waits end at once, while the row's operation is held.
void check_row(const Row& row, const Cache& cache) {
    std::string outcomes(row.outcomes);
    outcomes.erase(std::remove(outcomes.begin(), outcomes.end(), ' '), outcomes.end());
    REQUIRE(outcomes.size() == columns.size());
    for (std::size_t i = 0; i < columns.size(); ++i) {
        INFO(row.held << " held at " << row.at << ", then " << columns[i]);
        CHECK(operations.at(columns[i])(cache) == outcomes.substr(i, 1));
    }
}

}  // namespace

TEST_CASE("the lock matrix, across processes") {
    for (const Row& row : matrix) {
        const TempDir dir;
        const Cache cache = open_cache(dir.path() / "cache", impatient());
        prepare(cache);
        Child holder([&](Child&) { (void)operations.at(row.held)(open_cache(cache.root())); },
                     {{row.at}, {}});
        holder.wait_for(row.at);
        check_row(row, cache);
    }
}

TEST_CASE("the lock matrix, between threads with Caches of their own") {
    for (const Row& row : matrix) {
        const TempDir dir;
        const Cache cache = open_cache(dir.path() / "cache", impatient());
        prepare(cache);
        HeldThread holder(row.at, [&] { (void)operations.at(row.held)(open_cache(cache.root())); });
        check_row(row, cache);
    }
}

TEST_CASE("the lock matrix, between threads that share one Cache") {
    for (const Row& row : matrix) {
        const TempDir dir;
        const Cache cache = open_cache(dir.path() / "cache", impatient());
        prepare(cache);
        HeldThread holder(row.at, [&] { (void)operations.at(row.held)(cache); });
        check_row(row, cache);
    }
}

namespace {

/// A cache, and a process that is held in the middle of an operation on it.
struct Scene {
    Scene(const std::string& operation, const std::string& point) {
        prepare(open_cache(root));
        holder.emplace(
            [this, operation](Child&) { (void)operations.at(operation)(open_cache(root)); },
            Points{{point}, {}});
        holder->wait_for(point);
    }

    TempDir dir;
    fs::path root = dir.path() / "cache";
    std::optional<Child> holder;
};

OpenOptions with_timeout(std::chrono::milliseconds timeout) {
    OpenOptions options = test_options();
    options.lock_timeout = timeout;
    return options;
}

bool is_waited_for(const Cache& cache, const std::string& what) {
    for (const auto& lock : value(cache.status()).locks) {
        if (lock.waiting && lock.what == what) return true;
    }
    return false;
}

/// Requires that the error of a wait that timed out names this process.
void check_names(const Result<>& result, pid_t pid) {
    REQUIRE_FALSE(result);
    CHECK(result.error().code == Errc::busy);
    CHECK(contains(result.error().message(), "pid " + std::to_string(pid) + " ("));
    if (pid != ::getpid())
        CHECK_FALSE(contains(result.error().message(), "pid " + std::to_string(::getpid()) + " ("));
    CHECK(
        contains(result.error().message(),
                 os::this_command().substr(0, 100)));  // a forked child has this program's command
}

Result<> put_with_timeout(const fs::path& root) {
    const Bucket bucket = value(open_cache(root, with_timeout(1ms)).bucket("b"));
    auto published = bucket.publish("new", value(bucket.stage()));
    if (!published) return tl::make_unexpected(published.error());
    return {};
}

}  // namespace

TEST_CASE("a publish that waits too long for a remove names the process") {
    Scene scene("remove", "remove.checked");
    check_names(put_with_timeout(scene.root), scene.holder->pid());
}

TEST_CASE("a publish that waits too long at the gate names the process") {
    Scene scene("remove", "lock.at-gate");
    check_names(put_with_timeout(scene.root), scene.holder->pid());
}

TEST_CASE("a remove that waits too long for a publish names the process") {
    Scene scene("publish", "publish.locked");
    check_names(value(open_cache(scene.root, with_timeout(1ms)).bucket("b")).remove("k"),
                scene.holder->pid());
}

TEST_CASE("a remove that waits too long for a remove names the process") {
    Scene scene("remove", "remove.checked");
    check_names(value(open_cache(scene.root, with_timeout(1ms)).bucket("b")).remove("k"),
                scene.holder->pid());
}

TEST_CASE("a wait within one process names that process") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache", with_timeout(1ms));
    prepare(cache);
    HeldThread holder("remove.checked", [&] { (void)operations.at("remove")(cache); });
    check_names(put_with_timeout(cache.root()), ::getpid());
}

TEST_CASE("a publish waits for a remove and then goes on; a remove waits for a publish") {
    for (const auto& [holder, point, waiter] :
         {std::tuple("remove", "remove.checked", "publish"),
          std::tuple("remove", "lock.at-gate", "publish"),
          std::tuple("publish", "publish.locked", "remove"),
          std::tuple("remove", "remove.checked", "remove another")}) {
        INFO(waiter << " after " << holder);
        Scene scene(holder, point);
        const Cache cache = open_cache(scene.root, with_timeout(10min));
        auto waiting = std::async(std::launch::async,
                                  [&, name = waiter] { return operations.at(name)(cache); });
        eventually("it waits", [&] { return is_waited_for(cache, "bucket b"); });
        scene.holder->go_on();
        CHECK(waiting.get() == ".");
        CHECK(scene.holder->join() == 0);
        CHECK(value(cache.status()).locks.empty());
    }
}

TEST_CASE("a stop token ends a wait that has begun") {
    for (const auto& [holder, point, waiter, what] :
         {std::tuple("remove", "remove.checked", "publish", "bucket b"),
          std::tuple("remove", "lock.at-gate", "publish", "bucket b"),
          std::tuple("publish", "publish.locked", "remove", "bucket b"),
          std::tuple("build", "build.locked", "build", "build made")}) {
        INFO(waiter << " after " << holder);
        Scene scene(holder, point);
        std::stop_source source;
        OpenOptions options = with_timeout(10min);
        options.stop = source.get_token();
        const Cache cache = open_cache(scene.root, options);
        auto waiting = std::async(std::launch::async,
                                  [&, name = waiter] { return operations.at(name)(cache); });
        eventually("it waits", [&, label = what] { return is_waited_for(cache, label); });
        source.request_stop();
        CHECK(waiting.get() == "W");
    }
}

TEST_CASE("a process that waits is told once for which process it waits") {
    for (const auto& [holder, point, waiter] : {std::tuple("remove", "remove.checked", "publish"),
                                                std::tuple("build", "build.locked", "build")}) {
        INFO(waiter << " after " << holder);
        Scene scene(holder, point);
        std::atomic<int> calls{0};
        std::string words;
        OpenOptions options = with_timeout(10min);
        options.on_wait = [&](const std::string& text) {
            words = text;
            ++calls;
        };
        const Cache cache = open_cache(scene.root, options);
        auto waiting = std::async(std::launch::async,
                                  [&, name = waiter] { return operations.at(name)(cache); });
        eventually("it is told", [&] { return calls > 0; });
        scene.holder->go_on();
        CHECK(waiting.get() == ".");
        CHECK(calls == 1);
        CHECK(contains(words, "pid " + std::to_string(scene.holder->pid())));
    }
}

TEST_CASE("no process waits for one that was killed") {
    for (const auto& row : matrix) {
        INFO(row.held << " killed at " << row.at);
        Scene scene(row.held, row.at);
        scene.holder->kill();
        const Cache cache = open_cache(scene.root, impatient());
        for (const char* asked :
             {"collect", "verify", "publish", "build", "replace", "remove another", "refresh"}) {
            INFO("then " << asked);
            CHECK(operations.at(asked)(cache) == ".");
        }
    }
}

TEST_CASE(
    "a process that is stopped inside publish keeps no other from get, publish, refresh and "
    "collect") {
    Scene scene("publish", "publish.locked");
    scene.holder->stop();
    {
        const Cache cache = open_cache(scene.root, impatient());
        for (const char* asked :
             {"get", "publish", "refresh", "collect", "verify", "replace", "get"}) {
            INFO(asked);
            CHECK(operations.at(asked)(cache) == ".");
        }
    }
    scene.holder->resume();
    scene.holder->go_on();
    CHECK(scene.holder->join() == 0);
    // It published into the bucket that was there by then.
    CHECK(content_of(value(open_cache(scene.root).bucket("b")), "new") == "new");
}
