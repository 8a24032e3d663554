// SPDX-License-Identifier: MIT
// Buckets that are pointers to generations: how they are made, refreshed, taken apart and mended.
// All other tests of the protocol run with such buckets as well; these always do.

#include <cerrno>

#include "catch.hpp"
#include "format/layout.hpp"
#include "scene.hpp"
#include "traced.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

OpenOptions by_pointer() {
    OpenOptions options = test_options();
    options.bucket_kind = BucketKind::pointer;
    return options;
}

/// A cache whose buckets are pointers.
struct PointerScene {
    TempDir dir;
    fs::path root = dir.path() / "cache";
    Cache cache = open_cache(root, by_pointer());
    Bucket bucket = value(cache.bucket("b"));

    [[nodiscard]] fs::path pointer() const { return root / "buckets" / "b"; }
    [[nodiscard]] std::size_t generations() const { return count_entries(root / "generations"); }
    [[nodiscard]] std::size_t refreshed() const {
        return count_entries(root / "retired" / "buckets");
    }
};

/// Puts "k" in a process that is held at these points, and killed at the others.
Child putter(const PointerScene& scene, const Points& points, const std::string& key = "k",
             const Errors& errors = {}) {
    return Child(
        [&scene, key, errors, points](Child& self) {
            fail_at(self, errors, points);
            put(open_bucket(scene.root), key, "of the other process");
            self.say("published");
        },
        Points{});
}

/// Writes a pointer of the cache's kind with this text in the place of the bucket's.
void write_pointer(const PointerScene& scene, const std::string& text) {
    fs::remove(scene.pointer());
    plant_text(scene.cache, scene.pointer(), text);
}

std::string kinds_of(const VerifyReport& report) {
    std::string text;
    for (const auto& finding : report.findings)
        text += (text.empty() ? "" : ", ") + std::string(name_of(finding.kind));
    return text;
}

/// Requires that one repair and one collection make the cache sound, with `live` entries left.
void require_mended(const PointerScene& scene, std::size_t live) {
    const auto repaired = value(scene.cache.verify({true}));
    for (const auto& finding : repaired.findings) CHECK(finding.repaired);
    CHECK(kinds_of(value(scene.cache.verify())) == "");
    require_no_leak(scene.root, live);
}

}  // namespace

TEST_CASE("a bucket is a link that names a generation, and a refresh renames the link alone") {
    const PointerScene scene;
    CHECK(scene.cache.bucket_kind() == BucketKind::pointer);
    CHECK(contains(read_file(scene.root / "format"), "\nbuckets pointer\n"));
    put(scene.bucket, "k", "old");
    const fs::path generation = keys_of(scene.pointer());
    CHECK(generation.parent_path() == scene.root / "generations");
    CHECK(fs::exists(fs::symlink_status(generation / "k")));
    CHECK(value(scene.cache.buckets()) == std::vector<std::string>{"b"});
    value(scene.bucket.refresh());
    CHECK_FALSE(fs::exists(fs::symlink_status(scene.pointer())));
    CHECK(fs::exists(fs::symlink_status(generation / "k")));  // no directory was renamed
    CHECK(scene.refreshed() == 1);
    CHECK(outcome(scene.bucket.get("k")) == "miss");
    CHECK(value(scene.cache.buckets()).empty());
    put(scene.bucket, "k", "new");
    CHECK(keys_of(scene.pointer()) != generation);
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
    CHECK_FALSE(fs::exists(generation));
}

// On Windows it never has directories unless they are asked for: see like_windows.cpp.
TEST_CASE("a new cache has directories, or pointers where no directory can be renamed",
          "[not-windows]") {
    OpenOptions options = test_options();
    options.bucket_kind.reset();
    const TempDir dir;
    CHECK(open_cache(dir.path() / "usual", options).bucket_kind() == BucketKind::directory);
    CHECK_FALSE(fs::exists(dir.path() / "usual" / "generations"));
    CHECK(count_entries(dir.path() / "usual" / "deleting") == 0);
    const FailingHere failing({{"open.probe-directory", 1}});
    CHECK(open_cache(dir.path() / "unusual", options).bucket_kind() == BucketKind::pointer);
    options.bucket_kind = BucketKind::directory;
    CHECK(open_cache(dir.path() / "asked", options).bucket_kind() == BucketKind::directory);
    // The kind that a cache has counts, not the one that a later open asks for.
    CHECK(open_cache(dir.path() / "unusual", options).bucket_kind() == BucketKind::pointer);
}

TEST_CASE("of two publishers that make a generation one wins, and both keys are in its bucket") {
    const PointerScene scene;
    Child slow = putter(scene, {{"generation.made"}, {}}, "slow");
    slow.wait_for("generation.made");
    CHECK(scene.generations() == 1);
    put(scene.bucket, "fast", "x");
    CHECK(scene.generations() == 2);
    slow.go_on();
    slow.wait_for("published");
    CHECK(slow.join() == 0);
    CHECK(scene.generations() == 1);
    CHECK(content_of(scene.bucket, "slow") == "of the other process");
    require_no_leak(scene.root, 2);
}

TEST_CASE("without a rename that never replaces, a generation is placed under the exclusive lock") {
    // 1. P tries it under the shared lock, and the system refuses the rename
    // 2. P makes another generation under the exclusive lock, which keeps other publishers away
    const PointerScene scene;
    Child publisher = putter(scene, {{"generation.made"}, {}}, "k",
                             {{"os.noreplace", EINVAL}, {"os.exchange", EINVAL}});
    publisher.wait_for("generation.made");
    publisher.go_on();
    publisher.wait_for("generation.made");
    CHECK(scene.generations() == 1);  // the first one was taken back
    CHECK(outcome(try_put(open_hasty(scene.root), "other", "x")) == "busy");
    publisher.go_on();
    publisher.wait_for("published");
    CHECK(publisher.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "of the other process");
    CHECK(scene.generations() == 1);
    require_no_leak(scene.root, 1);
}

TEST_CASE("a late publish into a refreshed generation is garbage, and keeps its pointer") {
    // 1. P has found the generation, and is about to place its link there
    // 2. a refresh, and C takes the keys out
    // 3. P's link lands there: rmdir fails, so the pointer stays
    // 4. the next collection takes that link as well
    const PointerScene scene;
    put(scene.bucket, "other", "old");
    Child publish = putter(scene, {{"publish.before-placing-new", "publish.placed"}, {}});
    publish.wait_for("publish.before-placing-new");
    value(scene.bucket.refresh());
    Child collect(
        [&](Child& self) {
            const auto report = value(open_cache(scene.root).collect());
            self.say("collected " + std::to_string(report.buckets));
        },
        {{"collect.flatten-one"}, {}});
    collect.wait_for("collect.flatten-one");
    publish.go_on();
    publish.wait_for("publish.placed");
    CHECK(outcome(scene.bucket.get("k")) == "miss");  // the put happened just before the refresh
    collect.go_on();
    const std::string heard = collect.listen();
    // Whether the listing shows the new key is the file system's choice.
    if (heard == "collect.flatten-one") {
        collect.go_on();
        collect.wait_for("collected 1");
    } else {
        CHECK(heard == "collected 0");
        CHECK(scene.refreshed() == 1);
        CHECK(scene.generations() == 1);
    }
    CHECK(collect.join() == 0);
    go_on_until(publish, "published");
    CHECK(publish.join() == 0);
    require_no_leak(scene.root, 0);
    CHECK(scene.generations() == 0);
}

TEST_CASE("a publish that comes when its generation was taken apart looks again") {
    const PointerScene scene;
    put(scene.bucket, "other", "old");
    Child publish = putter(scene, {{"publish.before-placing-new"}, {}});
    publish.wait_for("publish.before-placing-new");
    value(scene.bucket.refresh());
    (void)value(scene.cache.collect());
    CHECK(scene.generations() == 0);
    publish.go_on();
    publish.wait_for("publish.before-placing-new");
    publish.go_on();
    publish.wait_for("published");
    CHECK(publish.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "of the other process");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a collection takes an emptied bucket away, unless its lock is taken") {
    const PointerScene scene;
    put(scene.bucket, "other", "old");
    value(scene.bucket.remove("other"));
    {
        Child publish = putter(scene, {{"publish.before-placing-new"}, {}});
        publish.wait_for("publish.before-placing-new");
        CHECK(value(scene.cache.collect()).entries == 1);
        CHECK(fs::exists(fs::symlink_status(scene.pointer())));
        publish.go_on();
        publish.wait_for("published");
        CHECK(publish.join() == 0);
    }
    CHECK(content_of(scene.bucket, "k") == "of the other process");
    value(scene.bucket.remove("k"));
    CHECK(value(scene.cache.collect()).entries == 1);
    CHECK_FALSE(fs::exists(fs::symlink_status(scene.pointer())));
    CHECK(scene.generations() == 0);
    CHECK(scene.refreshed() == 0);
}

TEST_CASE("a pointer that leads nowhere is a miss, and the next publish makes a new generation") {
    for (const bool is_cut_off : {false, true}) {
        const PointerScene scene;
        put(scene.bucket, "k", "lost");
        value(scene.bucket.remove("k"));
        fs::remove(keys_of(scene.pointer()));
        if (is_cut_off) write_pointer(scene, "../generations/");
        CHECK(outcome(scene.bucket.get("k")) == "miss");
        CHECK(outcome(scene.bucket.remove("k")) == "miss");
        CHECK(value(scene.bucket.keys()).empty());
        CHECK(kinds_of(value(scene.cache.verify())) == (is_cut_off ? "malformed" : "dangling"));
        put(scene.bucket, "k", "new");
        CHECK(content_of(scene.bucket, "k") == "new");
        CHECK(kinds_of(value(scene.cache.verify())) == "");
        require_no_leak(scene.root, 1);
        CHECK(scene.generations() == 1);
    }
}

TEST_CASE("verify mends a pointer that leads nowhere, and one that larder did not make") {
    for (const bool is_cut_off : {false, true}) {
        const PointerScene scene;
        put(value(scene.cache.bucket("sound")), "k", "x");
        put(scene.bucket, "k", "lost");
        value(scene.bucket.remove("k"));
        fs::remove(keys_of(scene.pointer()));
        if (is_cut_off) write_pointer(scene, "../generations/");
        require_mended(scene, 1);
        CHECK_FALSE(fs::exists(fs::symlink_status(scene.pointer())));
    }
}

TEST_CASE("verify finds a generation that no pointer names, and one that two name") {
    const PointerScene scene;
    put(value(scene.cache.bucket("sound")), "k", "x");
    put(scene.bucket, "k", "lost");
    fs::remove(scene.pointer());
    CHECK(kinds_of(value(scene.cache.verify())) == "orphan");
    require_mended(scene, 1);
    CHECK(scene.generations() == 1);

    const std::string name = keys_of(scene.root / "buckets" / "sound").filename().string();
    value(format::make_pointer(scene.cache.link_kind(), value(os::open_dir(scene.root)),
                               value(os::open_dir(scene.root / "retired" / "buckets")),
                               fresh_name(), *format::parse_id(name)));
    // The entry's one link is met by both ways, too. Beside the key, a junction in `retired/` is no
    // fault.
    CHECK(kinds_of(value(scene.cache.verify())) ==
          (links_are_junctions() ? "shared" : "shared, shared"));
    require_mended(scene, 1);
    CHECK(content_of(value(scene.cache.bucket("sound")), "k") == "x");
}

TEST_CASE("what stands in the place of a pointer is no bucket, and is moved away by repair") {
    const PointerScene scene;
    fs::create_directory(scene.pointer());
    CHECK(outcome(scene.bucket.get("k")) == "miss");
    CHECK(outcome(try_put(scene.bucket, "k", "x")) == "damaged");
    CHECK(outcome(scene.bucket.remove("k")) == "damaged");
    CHECK(outcome(scene.bucket.refresh()) == "damaged");
    CHECK(value(scene.cache.buckets()).empty());
    CHECK(kinds_of(value(scene.cache.verify())) == "blocked");
    CHECK(fs::exists(scene.pointer()));
    require_mended(scene, 0);
    put(scene.bucket, "k", "new");
    CHECK(content_of(scene.bucket, "k") == "new");
}

TEST_CASE("the first collection of a boot finds a generation without a pointer, once") {
    const PointerScene scene;
    const std::string id = put(scene.bucket, "k", "lost").id();
    fs::remove(scene.pointer());
    const auto collect_in_later_boot = [&](bool dry_run) {
        std::string heard;
        Child collector([&](Child& self) {
            fail_at(self, {{"os.other-boot", 1}});
            const auto report = value(open_cache(scene.root).collect({}, {.dry_run = dry_run}));
            self.say("collected " + std::to_string(report.entries) + " of " +
                     std::to_string(report.buckets));
        });
        heard = collector.listen();
        CHECK(collector.join() == 0);
        return heard;
    };
    CHECK(value(scene.cache.collect()).entries == 0);  // it is of this boot
    CHECK(collect_in_later_boot(true) == "collected 1 of 1");
    CHECK(fs::exists(scene.root / "archive" / id));
    CHECK(collect_in_later_boot(false) == "collected 1 of 1");
    CHECK(scene.generations() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE("with links that are symlinks, a get makes the same calls with both kinds of buckets") {
    std::vector<std::vector<std::string>> calls;
    for (const BucketKind kind : {BucketKind::directory, BucketKind::pointer}) {
        OpenOptions options = test_options();
        options.bucket_kind = kind;
        options.link_kind = LinkKind::symlink;
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        const Cache cache = open_cache(root, options);
        for (const char* key : {"k", "joined"}) put(value(cache.bucket("b")), key, "x");
        const auto lines = trace(
            "!%memory",  // a sanitizer maps memory whenever it likes
            [&](Child& self) {
                const Bucket bucket = open_bucket(root);
                (void)value(bucket.get("joined"));  // joins the cache
                self.say("ready");
                self.hear();
                for (int i = 0; i < 3; ++i) (void)value(bucket.get("k"));
                (void)bucket.get("none");
                ::getppid();  // ends what is compared
            },
            dir.path() / "strace");
        if (!lines) {
            WARN("SKIPPED: there is no strace here, or no process may be traced");
            return;
        }
        std::vector<std::string> names;
        for (const auto& line : *lines) {
            if (name_of_call(line) == "getppid") break;
            if (!contains(line, "pipe:")) names.push_back(name_of_call(line));
        }
        calls.push_back(std::move(names));
    }
    CHECK(calls.at(0) == calls.at(1));
    // Two for the first get, and one for each other.
    CHECK(std::count(calls.at(1).begin(), calls.at(1).end(), "readlinkat") == 5);
}
