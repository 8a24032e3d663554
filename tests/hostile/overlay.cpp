// SPDX-License-Identifier: MIT
// A cache that came with an image: it is in a lower layer of an overlayfs, whose directories can't
// be renamed (EXDEV). Everything works there as elsewhere, and the lower layer does not change.

#include <algorithm>
#include <csignal>

#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// A cache with three entries, garbage and a refreshed bucket. Processes that have ended made it
/// before the overlay was mounted over it.
class Image {
public:
    /// `change` changes the cache at a path before it becomes a lower layer.
    explicit Image(BucketKind buckets = *test_options().bucket_kind,
                   const std::function<void(const fs::path&)>& change = {}) {
        // On a tmpfs, since an overlay can't be on top of another one.
        if (!tmpfs_) return;
        for (const char* name : {"lower", "upper", "work", "merged"})
            fs::create_directory(dir_.path() / name);
        OpenOptions options = test_options();
        options.bucket_kind = buckets;
        in_child([&](Child&) {
            const Cache cache = open_cache(lower() / "cache", options);
            const Bucket bucket = value(cache.bucket("b")), gone = value(cache.bucket("gone"));
            put(bucket, "k", "replaced in the image");
            for (const char* key : {"k", "l", "m"}) put(bucket, key, "from the image");
            put(gone, "k", "refreshed in the image");
            value(gone.refresh());
        });
        if (change) change(lower() / "cache");
        before_ = exact_snapshot(lower());
        overlay_ = std::make_unique<Mount>("overlay", dir_.path() / "merged", "overlay", 0,
                                           "lowerdir=" + lower().string() +
                                               ",upperdir=" + (dir_.path() / "upper").string() +
                                               ",workdir=" + (dir_.path() / "work").string());
    }

    [[nodiscard]] explicit operator bool() const { return overlay_ && *overlay_; }
    [[nodiscard]] fs::path root() const { return dir_.path() / "merged" / "cache"; }
    [[nodiscard]] fs::path lower() const { return dir_.path() / "lower"; }
    void require_lower_untouched() const { CHECK(exact_snapshot(lower()) == before_); }

private:
    TempDir dir_;
    Mount tmpfs_{"tmpfs", dir_.path(), "tmpfs", 0, "mode=0755"};
    std::unique_ptr<Mount> overlay_;
    std::map<std::string, std::string> before_;
};

#define SKIP_UNLESS_MOUNTED(image) SKIP_UNLESS(image, "the right to mount an overlayfs")

}  // namespace

TEST_CASE(
    "a directory of the lower layer can't be renamed here; otherwise these tests show nothing") {
    const Image image(BucketKind::directory);
    SKIP_UNLESS_MOUNTED(image);
    std::error_code error;
    fs::rename(image.root() / "buckets" / "b", image.root() / "buckets" / "c", error);
    CHECK(error == std::errc::cross_device_link);
}

TEST_CASE("overlay: entries of the image are hits, and are leased") {
    const Image image;
    SKIP_UNLESS_MOUNTED(image);
    const Cache cache = open_cache(image.root());
    const Bucket bucket = value(cache.bucket("b"));
    CHECK(cache.link_kind() == test_options().link_kind);
    const Lease lease = value(bucket.get("k"));
    CHECK(lease.is_protected());
    CHECK(content_of(lease) == "from the image");
    CHECK(value(bucket.keys()).size() == 3);
    CHECK(value(cache.verify()).findings.empty());
    image.require_lower_untouched();
}

TEST_CASE("overlay: put, replace and remove") {
    const Image image;
    SKIP_UNLESS_MOUNTED(image);
    const Cache cache = open_cache(image.root());
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "new", "new");
    CHECK(content_of(bucket, "new") == "new");
    put(bucket, "k", "replaced");
    CHECK(content_of(bucket, "k") == "replaced");
    put(bucket, "k", "replaced again");
    CHECK(content_of(bucket, "k") == "replaced again");
    REQUIRE(bucket.remove("l"));
    CHECK(content_of(bucket, "l").empty());
    const auto again = bucket.remove("l");
    REQUIRE_FALSE(again);
    CHECK(name_of(again.error().code) == name_of(Errc::miss));
    CHECK(content_of(bucket, "m") == "from the image");
    CHECK(value(cache.verify()).findings.empty());
    REQUIRE_NOTHROW(require_no_leak(image.root(), 3));  // k, m, new
    CHECK(content_of(bucket, "k") == "replaced again");
    image.require_lower_untouched();
}

TEST_CASE("overlay: with pointers, a refresh of a bucket of the image is one rename again") {
    const Image image(BucketKind::pointer);
    SKIP_UNLESS_MOUNTED(image);
    const Cache cache = open_cache(image.root());
    CHECK(cache.bucket_kind() == BucketKind::pointer);
    const Bucket bucket = value(cache.bucket("b"));
    const Lease held = value(bucket.get("k"));
    const fs::path pointer = image.root() / "buckets" / "b", generation = keys_of(pointer);
    int renames = 0;
    os::set_point_hook([&](const char* name) {
        renames += std::string(name) == "os.noreplace" ? 1 : 0;
        return 0;
    });
    const auto refreshed = bucket.refresh();
    os::set_point_hook({});
    REQUIRE(refreshed);
    CHECK(renames == 1);
    CHECK_FALSE(fs::exists(fs::symlink_status(pointer)));
    CHECK(count_entries(generation) == 3);  // no key was touched
    CHECK(count_entries(image.root() / "retired" / "buckets") == 2);
    for (const char* key : {"k", "l", "m"}) CHECK(content_of(bucket, key).empty());
    put(bucket, "k", "anew");
    CHECK(content_of(bucket, "k") == "anew");
    {
        const auto collected = value(cache.collect());
        REQUIRE(collected.leased.size() == 1);
        CHECK(collected.leased[0].id == held.id());
        CHECK(collected.buckets == 2);
    }
    CHECK(content_of(held) == "from the image");
    CHECK_FALSE(fs::exists(generation));
    CHECK(value(cache.verify()).findings.empty());
    image.require_lower_untouched();
}

TEST_CASE("overlay: a bucket of the image is refreshed key by key, and can be filled anew") {
    const Image image(BucketKind::directory);
    SKIP_UNLESS_MOUNTED(image);
    const Cache cache = open_cache(image.root());
    const Bucket bucket = value(cache.bucket("b"));
    const Lease held = value(bucket.get("k"));
    put(bucket, "new", "new");
    REQUIRE(bucket.refresh());
    for (const char* key : {"k", "l", "m", "new"}) CHECK(content_of(bucket, key).empty());
    CHECK(value(bucket.keys()).empty());
    put(bucket, "k", "anew");
    CHECK(content_of(bucket, "k") == "anew");
    {
        const auto collected = value(cache.collect());
        REQUIRE(collected.leased.size() == 1);
        CHECK(collected.leased[0].id == held.id());
    }
    CHECK(content_of(held) == "from the image");
    REQUIRE(bucket.refresh());
    CHECK(content_of(bucket, "k").empty());
    CHECK(value(cache.verify()).findings.empty());
    image.require_lower_untouched();
}

TEST_CASE("overlay: a bucket that was made in the upper layer is refreshed like any other") {
    const Image image;
    SKIP_UNLESS_MOUNTED(image);
    const Cache cache = open_cache(image.root());
    const Bucket bucket = value(cache.bucket("upper"));
    put(bucket, "k", "new");
    REQUIRE(bucket.refresh());
    CHECK(content_of(bucket, "k").empty());
    REQUIRE_NOTHROW(require_no_leak(image.root(), 3));
    image.require_lower_untouched();
}

TEST_CASE("overlay: garbage of the image is collected, in place if it can't be moved") {
    const Image image;
    SKIP_UNLESS_MOUNTED(image);
    const Cache cache = open_cache(image.root());
    CHECK(count_entries(image.root() / "archive") == 5);
    const auto collected = value(cache.collect());
    CHECK(collected.entries == 2);
    CHECK(count_entries(image.root() / "archive") == 3);
    CHECK(content_of(value(cache.bucket("b")), "k") == "from the image");
    REQUIRE(value(cache.bucket("b")).refresh());
    CHECK(value(cache.collect()).entries == 3);
    CHECK(count_entries(image.root() / "archive") == 0);
    CHECK(value(cache.verify()).findings.empty());
    REQUIRE_NOTHROW(require_no_leak(image.root(), 0));
    image.require_lower_untouched();
}

TEST_CASE(
    "overlay: a refresh that is killed between two keys has retired some, and loses nothing") {
    const Image image(BucketKind::directory);
    SKIP_UNLESS_MOUNTED(image);
    int renames = 0;
    Child victim([&](Child&) {
        const Cache cache = open_cache(image.root());
        os::set_point_hook([&](const char* name) {
            if (std::string(name) == "os.noreplace" && ++renames == 3) ::kill(::getpid(), SIGKILL);
            return 0;
        });
        value(value(cache.bucket("b")).refresh());
    });
    REQUIRE(victim.join() == 128 + SIGKILL);
    const Cache cache = open_cache(image.root());
    CHECK(value(cache.verify()).findings.empty());
    std::size_t left = 0;
    for (const char* key : {"k", "l", "m"})
        left += content_of(value(cache.bucket("b")), key) == "from the image";
    CHECK(left == 2);
    REQUIRE_NOTHROW(require_no_leak(image.root(), left));
    image.require_lower_untouched();
}

TEST_CASE("overlay: an entry with a damaged record is found, and heals") {
    const Image image;
    SKIP_UNLESS_MOUNTED(image);
    const Cache cache = open_cache(image.root());
    const Bucket bucket = value(cache.bucket("b"));
    fs::remove(value(bucket.get("k")).path().parent_path() / "record");
    CHECK_FALSE(value(cache.verify()).sound());
    CHECK(value(cache.verify({true})).sound());
    REQUIRE_NOTHROW(require_no_leak(image.root(), 2));
    image.require_lower_untouched();
}

TEST_CASE("overlay: what a dead process of the image has staged is reaped") {
    const TempDir dir;
    const Mount tmpfs("tmpfs", dir.path(), "tmpfs", 0, "mode=0755");
    SKIP_UNLESS(tmpfs, "the right to mount a tmpfs");
    for (const char* name : {"lower", "upper", "work", "merged"})
        fs::create_directory(dir.path() / name);
    Child victim(
        [&](Child&) {
            put(value(open_cache(dir.path() / "lower" / "cache").bucket("b")), "k", "half");
        },
        {{}, {"publish.recorded"}});
    REQUIRE(victim.join() == 128 + SIGKILL);
    const Mount overlay("overlay", dir.path() / "merged", "overlay", 0,
                        "lowerdir=" + (dir.path() / "lower").string() +
                            ",upperdir=" + (dir.path() / "upper").string() +
                            ",workdir=" + (dir.path() / "work").string());
    SKIP_UNLESS(overlay, "the right to mount an overlayfs");
    const fs::path root = dir.path() / "merged" / "cache";
    REQUIRE(count_entries(root / "staging" / "0") == 1);
    SECTION("by a collection") { (void)value(open_cache(root).collect()); }
    SECTION("by the process that adopts its participant") {
        put(value(open_cache(root).bucket("b")), "k", "whole");
    }
    CHECK(count_entries(root / "staging" / "0") == 0);
    REQUIRE_NOTHROW(require_no_leak(
        root, content_of(value(open_cache(root).bucket("b")), "k").empty() ? 0 : 1));
}

TEST_CASE("overlay: a repair takes directories of the image away that block a key or a table") {
    for (const BucketKind kind : {BucketKind::directory, BucketKind::pointer}) {
        INFO(static_cast<int>(kind));
        const Image image(kind, [&](const fs::path& cache) {
            const fs::path key = keys_of(cache / "buckets" / "b") / "k";
            std::vector<fs::path> blocked{key, cache / "participants" / "3"};
            if (kind == BucketKind::pointer) blocked.push_back(cache / "buckets" / "c");
            for (const fs::path& at : blocked) {
                fs::remove(at);
                fill(at, "as after a copy that followed links");
            }
        });
        SKIP_UNLESS_MOUNTED(image);
        const Cache cache = open_cache(image.root());
        const Bucket bucket = value(cache.bucket("b"));
        auto staging = value(bucket.stage());
        fill(staging.path(), "new");
        const auto refused = bucket.publish("k", std::move(staging));
        REQUIRE_FALSE(refused);
        CHECK(contains(refused.error().message(), "verify --repair"));

        const VerifyReport repaired = value(cache.verify({true}));
        for (const Finding& finding : repaired.findings) {
            INFO(finding.path << ": " << finding.what);
            CHECK(finding.repaired);
        }
        put(bucket, "k", "new");
        CHECK(content_of(bucket, "k") == "new");
        put(value(cache.bucket("c")), "k", "new");
        (void)value(cache.collect());
        CHECK(value(cache.verify()).findings.empty());
        image.require_lower_untouched();
    }
}

TEST_CASE("overlay: a repair takes nothing that is mounted in the place of a key") {
    const Image image(BucketKind::directory, [](const fs::path& cache) {
        const fs::path key = cache / "buckets" / "b" / "k";
        fs::remove(key);
        fs::create_directory(key);
    });
    SKIP_UNLESS_MOUNTED(image);
    const fs::path key = image.root() / "buckets" / "b" / "k";
    const Mount mount("tmpfs", key, "tmpfs");
    SKIP_UNLESS(mount, "the right to mount a tmpfs");
    write_file(key / "mine", "of the user");
    const VerifyReport report = value(open_cache(image.root()).verify({.repair = true}));
    const auto of_key = std::find_if(report.findings.begin(), report.findings.end(),
                                     [&](const Finding& finding) { return finding.path == key; });
    REQUIRE(of_key != report.findings.end());
    CHECK_FALSE(of_key->repaired);
    CHECK(contains(of_key->what, "unmount it"));
    CHECK(read_file(key / "mine") == "of the user");
}
