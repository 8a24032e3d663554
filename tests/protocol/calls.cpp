// SPDX-License-Identifier: MIT
// The options of one call: what ends it, and no other call of the same cache.

#include <future>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// A process that has claimed "k" and holds it until it is told to go on.
class Builder : public Child {
public:
    explicit Builder(const Scene& scene)
        : Child([&scene](Child& self) {
              auto claim = value(open_bucket(scene.root).claim("k"));
              fill(std::get<Staging>(claim).path(), "built");
              self.say("claimed");
              self.hear();
              (void)value(
                  open_bucket(scene.root).publish("k", std::get<Staging>(std::move(claim))));
          }) {
        wait_for("claimed");
    }
};

Result<> never(Staging&) { return tl::make_unexpected(Error{Errc::build, 0, "", {}, "not asked"}); }

/// Returns a function of CallOptions::on_wait that ends the wait when it was asked `times` times.
auto ends_after(int times, int& asked) {
    return [times, &asked](const Wait&) { return ++asked < times; };
}

}  // namespace

TEST_CASE("a stop of one call ends its wait, and no other") {
    // 1. another process builds k
    // 2. two threads wait for it through one bucket, each with a stop of its own
    // 3. the stop of the first is requested
    const Scene scene;
    Builder builder(scene);
    std::stop_source first, second;
    const auto wait = [&](const std::stop_source& stop) {
        return std::async(std::launch::async, [&scene, token = stop.get_token()] {
            return outcome(scene.bucket.with({.stop = token}).get_or_build("k", never));
        });
    };
    auto ended = wait(first), goes_on = wait(second);
    eventually("both wait", [&] { return value(scene.cache.status()).locks.size() == 3; });
    first.request_stop();
    CHECK(ended.get() == "interrupted");
    CHECK(value(scene.cache.status()).locks.size() == 2);
    builder.go_on();
    CHECK(goes_on.get() == "ok");
    CHECK(builder.join() == 0);
}

TEST_CASE("a call is told who holds what it waits for, and may end the wait") {
    const Scene scene;
    Builder builder(scene);
    int asked = 0;
    std::string what, holders;
    auto took = std::chrono::steady_clock::duration::zero();
    const auto on_wait = [&](const Wait& wait) {
        what = wait.what;
        holders = wait.holders;
        CHECK(wait.took > took);
        took = wait.took;
        return ++asked < 3;
    };
    CHECK(outcome(scene.bucket.with({.on_wait = on_wait}).get_or_build("k", never)) ==
          "interrupted");
    CHECK(asked == 3);
    CHECK(what == "build k");
    CHECK(contains(holders, "pid " + std::to_string(builder.pid()) + " ("));
    CHECK(contains(holders, "), for 0 s"));

    // An exception counts as a no. Another bucket of the cache has no such function.
    const auto throws = [](const Wait&) -> bool { throw 1; };
    CHECK(outcome(scene.bucket.with({.on_wait = throws}).get_or_build("k", never)) ==
          "interrupted");
    builder.go_on();
    CHECK(outcome(scene.bucket.get_or_build("k", never)) == "ok");
    CHECK(builder.join() == 0);
}

TEST_CASE("a call asks the function of the cache, too") {
    const Scene scene;
    Builder builder(scene);
    int by_cache = 0, by_call = 0;
    OpenOptions options = test_options();
    options.keep_waiting = [&] { return ++by_cache < 3; };
    const Bucket bucket = open_bucket(scene.root, options);
    CHECK(outcome(bucket.with({.on_wait = ends_after(100, by_call)}).get_or_build("k", never)) ==
          "interrupted");
    CHECK(by_cache == 3);
    CHECK(by_call == 2);
    by_cache = by_call = 0;
    CHECK(outcome(bucket.with({.on_wait = ends_after(1, by_call)}).get_or_build("k", never)) ==
          "interrupted");
    CHECK(by_cache == 1);
    CHECK(by_call == 1);
    builder.go_on();
    CHECK(builder.join() == 0);
}

TEST_CASE("the stop of the cache ends a call that has a stop of its own") {
    const Scene scene;
    Builder builder(scene);
    std::stop_source of_cache, of_call;
    OpenOptions options = test_options();
    options.stop = of_cache.get_token();
    const Cache cache = open_cache(scene.root, options);
    const Bucket bucket = value(cache.with({.stop = of_call.get_token()}).bucket("b"));
    auto waits =
        std::async(std::launch::async, [&] { return outcome(bucket.get_or_build("k", never)); });
    eventually("it waits", [&] { return value(scene.cache.status()).locks.size() == 2; });
    of_cache.request_stop();
    CHECK(waits.get() == "interrupted");
    builder.go_on();
    CHECK(builder.join() == 0);
}

TEST_CASE("a publish, a remove and a pin that wait for their bucket can be ended, each by itself") {
    const Scene scene;
    put(scene.bucket, "k", "there");
    Child remover([&](Child&) { (void)value(open_bucket(scene.root).remove("k")); },
                  {{"remove.locked"}, {}});
    remover.wait_for("remove.locked");
    int asked = 0;
    const Bucket bucket = scene.bucket.with({.on_wait = ends_after(1, asked)});
    Staging staging = value(scene.bucket.stage());
    fill(staging.path(), "new");
    CHECK(outcome(bucket.publish("other", std::move(staging))) == "interrupted");
    CHECK(outcome(bucket.remove("k")) == "interrupted");
    CHECK(outcome(bucket.pin("k")) == "interrupted");
    CHECK(asked == 3);
    remover.go_on();
    CHECK(remover.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE("a stop ends the copying of a tree before its next file, and a restore") {
    const Scene scene;
    const fs::path source = scene.dir.path() / "source";
    fs::create_directory(source);
    for (int i = 0; i < 3; ++i) write_file(source / std::to_string(i), "text");
    std::stop_source stop;
    stop.request_stop();
    const Cache cache = scene.cache.with({.stop = stop.get_token()});
    Staging staging = value(value(cache.bucket("b")).stage());
    CHECK(outcome(staging.copy_from(source)) == "interrupted");
    CHECK(fs::is_empty(staging.path()));

    put(scene.bucket, "k", "there");
    (void)value(scene.bucket.remove("k"));
    const std::string id = value(scene.cache.trash()).at(0).id;
    CHECK(outcome(cache.restore(id)) == "interrupted");
    CHECK(outcome(scene.cache.restore(id)) == "ok");
}
