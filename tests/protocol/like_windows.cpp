// SPDX-License-Identifier: MIT
// What other programs do to a cache on Windows, on a Linux that acts like it: they hold files open,
// so that renames, deletes and opens are refused after all tries. No call loses an entry by that,
// or takes one that is there for a miss.
#include "os/like_windows.hpp"

#include <cerrno>
#include <fstream>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// How often another program is in the way: of one call, or of that and all later ones.
enum class Held { once, from_now_on };

/// In this process, lets the call number `nth` meet another program that holds the file, of those
/// that can fail with this error. An open that meets one is not denied.
class HeldByAnother {
public:
    HeldByAnother(int nth, int error, Held how_often) {
        os::set_point_hook([=, this](const char* point) {
            const std::string_view name = point;
            if (!name.ends_with("-held")) return 0;
            if (error == EACCES && name == "os.open-held") return 0;
            ++calls_;
            const bool is_struck = how_often == Held::once ? calls_ == nth : calls_ >= nth;
            return is_struck ? error : 0;
        });
        nth_ = nth;
    }
    ~HeldByAnother() { os::set_point_hook({}); }
    HeldByAnother(const HeldByAnother&) = delete;
    HeldByAnother& operator=(const HeldByAnother&) = delete;

    /// Returns whether a call has failed.
    [[nodiscard]] bool has_struck() const { return calls_ >= nth_; }

private:
    int nth_ = 0;
    int calls_ = 0;
};

/// A call, and what the key "k" may hold afterwards, which held "old" before.
struct HeldCall {
    const char* name;
    std::function<Result<>(const Scene&)> call;
    std::vector<std::string> after_success;
    std::vector<std::string> after_error;
};

template <class T>
Result<> done(Result<T> result) {
    if (!result) return tl::make_unexpected(std::move(result).error());
    return {};
}

Result<> put_again(const Scene& scene) {
    auto staging = scene.bucket.stage();
    if (!staging) return done(std::move(staging));
    fill(staging->path(), "new");
    return done(scene.bucket.publish("k", std::move(*staging)));
}

Result<> put_copy(const Scene& scene) {
    auto staging = scene.bucket.stage();
    if (!staging) return done(std::move(staging));
    if (auto copied = staging->copy_from(scene.dir.path() / "source"); !copied) return copied;
    return done(scene.bucket.publish("k", std::move(*staging)));
}

Result<> give_up(const Scene& scene) {
    auto staging = scene.bucket.stage();
    if (staging) fill(staging->path(), "given up");
    return done(std::move(staging));
}

Result<> get(const Scene& scene) { return done(scene.bucket.get("k")); }

Result<> get_first(const Scene& scene) {
    const auto cache = Cache::open(scene.root, test_options());
    if (!cache) return tl::make_unexpected(cache.error());
    const auto bucket = cache->bucket("b");
    return done(bucket->get("k"));
}

Result<> build(const Scene& scene) {
    return done(scene.bucket.get_or_build("k", [](Staging& staging) -> Result<> {
        fill(staging.path(), "built");
        return {};
    }));
}

Result<> materialize_it(const Scene& scene) {
    const auto lease = scene.bucket.get("k");
    if (!lease) return tl::make_unexpected(lease.error());
    const fs::path to = scene.dir.path() / "there";
    const auto report = materialize(lease->path(), to, {.threads = 1});
    const bool is_whole = fs::exists(to / "sub" / "deep" / "f2");
    const bool is_there = fs::exists(to);
    fs::remove_all(to);
    if (report && !is_whole) throw std::runtime_error("half a tree was called whole");
    if (!report && is_there) throw std::runtime_error("an error has left half a tree");
    return done(report);
}

const std::vector<std::string> old_alone = {"old"}, none = {""};
const std::vector<std::string> old_or_none = {"old", ""};

std::vector<HeldCall> calls() {
    return {
        {"get", get, old_alone, old_alone},
        {"get, by a cache that was just opened", get_first, old_alone, old_alone},
        {"put", put_again, {"new"}, old_alone},
        {"put a copy", put_copy, {"copied"}, old_alone},
        {"stage and give up", give_up, old_alone, old_alone},
        {"build", build, old_alone, old_alone},
        {"remove", [](const Scene& scene) { return scene.bucket.remove("k"); }, none, old_alone},
        {"refresh", [](const Scene& scene) { return scene.bucket.refresh(); }, none, old_or_none},
        {"refresh some",
         [](const Scene& scene) {
             return done(scene.bucket.refresh(RefreshOptions{.pattern = "k*"}));
         },
         none, old_or_none},
        {"collect", [](const Scene& scene) { return done(scene.cache.collect()); }, old_alone,
         old_alone},
        {"evict",
         [](const Scene& scene) {
             return done(scene.cache.collect({.max_entries = 0}, {.threads = 1}));
         },
         old_or_none, old_or_none},
        {"materialize", materialize_it, old_alone, old_alone},
        {"list", [](const Scene& scene) { return done(scene.bucket.keys()); }, old_alone,
         old_alone},
    };
}

/// Puts "old" at "k", and leaves an older entry for a collection.
void prepare(const Scene& scene) {
    put(scene.bucket, "k", "older");
    put(scene.bucket, "k", "old");
}

/// Checks what a call has left. `where` says which call.
void check(const Scene& scene, const HeldCall& held, const Result<>& result, bool has_struck,
           const std::string& where) {
    const std::string found = content_of(scene.bucket, "k");
    const auto& possible = result ? held.after_success : held.after_error;
    Child::must(std::find(possible.begin(), possible.end(), found) != possible.end(),
                where + ": the key holds \"" + found + "\"");
    const Why why = why_of(result);
    Child::must(result || (has_struck && (why == Why::sharing || why == Why::denied)), where);
    for (const auto& finding : value(scene.cache.verify()).findings)
        Child::must(false, where + ": " + finding.path.string() + ": " + finding.what);
}

/// Lets another program be in the way of the first call, of the second and so on, until there are
/// no more. Returns how many there were.
int hold_at_each_call(const Scene& scene, const HeldCall& held, int error, Held how_often) {
    for (int nth = 1;; ++nth) {
        prepare(scene);
        Result<> result;
        bool has_struck = false;
        {
            const HeldByAnother holder(nth, error, how_often);
            result = held.call(scene);
            has_struck = holder.has_struck();
        }
        if (!has_struck) return nth - 1;
        const char* const often = how_often == Held::once ? ", once: " : ", from then on: ";
        check(scene, held, result, has_struck,
              std::string(held.name) + ", call " + std::to_string(nth) + ", error " +
                  std::to_string(error) + often +
                  (result ? "it succeeded" : result.error().message()));
        (void)value(scene.cache.collect());  // or each call would have more to do than the last
    }
}

}  // namespace

TEST_CASE("a program that holds any file loses no entry and makes no miss") {
    const LikeWindows windows;
    int all_calls = 0;
    for (const HeldCall& held : calls()) {
        const Scene scene;
        fill(scene.dir.path() / "source", "copied");
        // Garbage of a process that lives may stay until its end.
        Child caller([&](Child& child) {
            int calls = 0;
            for (const int error : {ETXTBSY, EACCES}) {
                for (const Held how_often : {Held::once, Held::from_now_on})
                    calls += hold_at_each_call(scene, held, error, how_often);
            }
            child.say(std::to_string(calls));
        });
        INFO(held.name);
        const std::string count = caller.listen();  // nothing if a check has ended it
        if (!count.empty()) all_calls += std::stoi(count);
        CHECK(caller.join() == 0);
        CHECK_NOTHROW(require_no_leak(scene.root, content_of(scene.bucket, "k").empty() ? 0 : 1));
    }
    CHECK(all_calls > 100);
}

TEST_CASE("a cache that is made without a wish has links that are files, and pointers") {
    const LikeWindows windows;
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache", {});
    CHECK(cache.link_kind() == LinkKind::file);
    CHECK(cache.bucket_kind() == BucketKind::pointer);
}

TEST_CASE("an entry that a program reads without a lease is collected, and read to its end") {
    const LikeWindows windows;
    const Scene scene;
    const fs::path file = put(scene.bucket, "k", "content").path() / "sub" / "f1";
    std::ifstream reader(file);
    value(scene.bucket.remove("k"));
    CHECK(value(scene.cache.collect()).entries == 1);
    std::string text;
    CHECK((reader >> text && text == "content"));
    require_no_leak(scene.root, 0);
}

TEST_CASE("a bucket that is a directory loses its keys one by one while a program lists it") {
    const LikeWindows windows;
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    OpenOptions options = test_options();
    options.bucket_kind = BucketKind::directory;
    const Cache cache = open_cache(root, options);
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "one", "1");
    put(bucket, "two", "2");
    const os::Dir buckets = value(os::open_dir(root / "buckets"));
    const std::string name = fs::directory_iterator(root / "buckets")->path().filename().string();
    const std::string key =
        fs::directory_iterator(root / "buckets" / name)->path().filename().string();
    {
        std::ifstream reader;
        if (cache.link_kind() == LinkKind::file) reader.open(root / "buckets" / name / key);
        value(bucket.refresh());
        CHECK(fs::exists(root / "buckets" / name) == reader.is_open());
    }
    CHECK(content_of(bucket, "one").empty());
    CHECK(content_of(bucket, "two").empty());
    require_no_leak(root, 0);
}

TEST_CASE("a tree from which a program reads is not moved into the cache, and stays") {
    const LikeWindows windows;
    const Scene scene;
    const fs::path source = scene.dir.path() / "source";
    fill(source, "content");
    {
        std::ifstream reader(source / "sub" / "f1");
        Staging staging = value(scene.bucket.stage());
        const auto moved = staging.move_from(source);
        REQUIRE_FALSE(moved);
        CHECK(why_of(moved) == Why::denied);
        CHECK(read_file(source / "sub" / "f1") == "content");
    }
    {
        Staging staging = value(scene.bucket.stage());
        value(staging.move_from(source));
        CHECK(content_of(value(scene.bucket.publish("k", std::move(staging)))) == "content");
    }
    CHECK_FALSE(fs::exists(source));
    require_no_leak(scene.root, 1);
}

TEST_CASE("a moved tree that a program reads by then is kept where it is, and the error says so") {
    const LikeWindows windows;
    const Scene scene;
    const fs::path source = scene.dir.path() / "source";
    fill(source, "content");
    fs::path staged;
    std::ifstream reader;
    {
        Staging staging = value(scene.bucket.stage());
        value(staging.move_from(source));
        staged = staging.path();
        reader.open(staged / "sub" / "f1");
        const FailingHere failing({{"os.noreplace", EIO}, {"os.rename", EIO}});
        const auto published = scene.bucket.publish("k", std::move(staging));
        REQUIRE_FALSE(published);
        INFO(published.error().message());
        CHECK(contains(published.error().message(), staged.string()));
    }
    CHECK(read_file(staged / "sub" / "f1") == "content");
}

TEST_CASE("a path can't be linked, and the error says so") {
    const LikeWindows like_windows;
    const Scene scene;
    put(scene.bucket, "k", "content");
    const fs::path path = scene.dir.path() / "linked";
    const auto linked = scene.cache.link("b", "k", path);
    CHECK(outcome(linked) == "unsupported");
    CHECK(contains(linked.error().message(), "symlinks"));
    CHECK_FALSE(fs::exists(fs::symlink_status(path)));
    CHECK_FALSE(fs::exists(scene.root / "roots"));
    CHECK(value(scene.cache.roots()).empty());
}
