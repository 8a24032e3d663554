// SPDX-License-Identifier: MIT
// Linked paths on disks that are not mounted, and below directories that can't be searched.

#include "support.hpp"

using namespace larder;
using namespace larder::testing;

#ifdef __linux__

namespace {

/// A cache with an entry at b/k that is retired, and was linked to a path on a disk of its own.
struct LinkedOnDisk {
    LinkedOnDisk() {
        fs::create_directory(at);
        if (!mount()) return;
        const Bucket bucket = value(cache.bucket("b"));
        id = put(bucket, "k", "content").id();
        value(cache.link("b", "k", at / "venv"));
        value(bucket.remove("k"));
    }

    [[nodiscard]] bool mount() {
        disk = std::make_unique<Mount>("tmpfs", at, "tmpfs");
        return static_cast<bool>(*disk);
    }
    [[nodiscard]] CollectReport collect() const { return value(cache.collect()); }
    [[nodiscard]] bool stands() const { return fs::exists(cache.root() / "archive" / id); }

    TempDir dir;
    fs::path at = dir.path() / "disk";
    std::unique_ptr<Mount> disk;
    Cache cache = open_cache(dir.path() / "cache");
    std::string id;
};

}  // namespace

TEST_CASE("a linked path on a disk that is not mounted keeps its entry") {
    LinkedOnDisk scene;
    SKIP_UNLESS(!scene.id.empty(), "the right to mount");
    // The same disk, seen at another place, so that it outlives the unmounting.
    const fs::path elsewhere = scene.dir.path() / "elsewhere";
    fs::create_directory(elsewhere);
    const auto kept = std::make_unique<Mount>(scene.at.string(), elsewhere, "", MS_BIND);
    REQUIRE(*kept);
    scene.disk.reset();
    CHECK_FALSE(fs::exists(fs::symlink_status(scene.at / "venv")));
    const auto report = scene.collect();
    REQUIRE(report.rooted.size() == 1);
    CHECK(report.rooted[0].state == RootInfo::State::unreachable);
    CHECK(value(scene.cache.prune_roots()).dropped.empty());
    CHECK(scene.stands());

    // It is mounted again, and the path leads to the entry as before.
    const Mount again(elsewhere.string(), scene.at, "", MS_BIND);
    REQUIRE(again);
    CHECK(read_file(scene.at / "venv" / "f0") == "content");
    CHECK(scene.collect().rooted.size() == 1);
    fs::remove(scene.at / "venv");
    CHECK(scene.collect().entries == 1);
    CHECK_FALSE(scene.stands());
}

TEST_CASE("a linked path over which a disk is mounted keeps its entry") {
    const TempDir dir;
    const fs::path at = dir.path() / "site";
    fs::create_directory(at);
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "content");
    value(cache.link("b", "k", at / "venv"));
    value(bucket.remove("k"));
    {
        const Mount over("tmpfs", at, "tmpfs");
        SKIP_UNLESS(over, "the right to mount");
        CHECK(value(cache.collect()).rooted.size() == 1);
        // What stands at the path is another disk's.
        fs::create_symlink("/tmp", at / "venv");
        CHECK(value(cache.collect()).rooted.size() == 1);
    }
    CHECK(read_file(at / "venv" / "f0") == "content");
}

TEST_CASE("a linked path below a directory that can't be searched keeps its entry") {
    SKIP_UNLESS(is_root_user(), "root, to become another user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms::all);
    in_child([&](Child&) {
        become_nobody();
        const fs::path at = dir.path() / "site";
        fs::create_directory(at);
        const Cache cache = open_cache(dir.path() / "cache");
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "content");
        value(cache.link("b", "k", at / "venv"));
        value(bucket.remove("k"));
        fs::permissions(at, fs::perms::none);
        const auto report = value(cache.collect());
        fs::permissions(at, fs::perms::owner_all);
        Child::must(report.rooted.size() == 1, "the entry is kept");
        Child::must(report.rooted[0].state == RootInfo::State::unreachable, "unreachable");
        Child::must(read_file(at / "venv" / "f0") == "content", "its files are there");
    });
}

#endif
