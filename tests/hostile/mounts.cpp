// SPDX-License-Identifier: MIT
// Parts of a cache at which something is mounted: messages that say what to do.

#include <fcntl.h>

#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// A cache with an entry and a retired one, and something of it mounted once more at its own place.
class Scene {
public:
    explicit Scene(const std::string& part) {
        in_child([&](Child&) {
            const Cache cache = open_cache(root());
            const Bucket bucket = value(cache.bucket("b"));
            put(bucket, "gone", "text");
            put(bucket, "k", "text");
            value(cache.collect());
            REQUIRE(bucket.remove("gone"));
        });
        mount_ = std::make_unique<Mount>((root() / part).string(), root() / part, "", MS_BIND);
    }
    [[nodiscard]] explicit operator bool() const { return static_cast<bool>(*mount_); }
    [[nodiscard]] fs::path root() const { return dir_.path() / "cache"; }

private:
    TempDir dir_;
    std::unique_ptr<Mount> mount_;
};

void must_say_unmount(const std::string& call, const Error& error) {
    Child::must(contains(error.message(), "unmount it"), call + ": " + error.message());
    // Here only files and links are renamed, which overlayfs renames in each layer.
    Child::must(!contains(error.message(), "overlayfs"), call + ": " + error.message());
}

}  // namespace

TEST_CASE("at a mount inside the cache, each error says that it should be unmounted") {
    // What a publish and a remove in an old bucket change.
    const std::string keys = buckets_are_pointers() ? "generations" : "buckets";
    for (const std::string& part : std::vector<std::string>{keys, "staging/0", "boots"}) {
        INFO(part);
        const Scene scene(part);
        SKIP_UNLESS(scene, "the right to mount");
        in_child([&](Child&) {
            const AtPoints next_boot(
                [](const std::string& point) { return point == "os.other-boot" ? 1 : 0; });
            const Cache cache = open_cache(scene.root());
            const Bucket bucket = value(cache.bucket("b"));
            if (part == "boots") {
                const auto collected = cache.collect();
                Child::must(!collected, "collected");
                must_say_unmount("collect", collected.error());
                return;
            }
            auto staging = value(bucket.stage());
            fill(staging.path(), "new");
            const auto published = bucket.publish("new", std::move(staging));
            Child::must(!published, "published");
            must_say_unmount("publish", published.error());
            if (part == "staging/0") return;
            const auto removed = bucket.remove("k");
            Child::must(!removed, "removed");
            must_say_unmount("remove", removed.error());
        });
    }
}

TEST_CASE("a file of the cache at which something is mounted is named, and how to free it") {
    for (const std::string& part :
         std::vector<std::string>{"participants", "participants/0", "locks", "format", "archive"}) {
        INFO(part);
        const Scene scene(part);
        SKIP_UNLESS(scene, "the right to mount");
        const auto destroyed = Cache::destroy(scene.root());
        REQUIRE_FALSE(destroyed);
        INFO(destroyed.error().message());
        CHECK(contains(destroyed.error().message(), "unmount it"));
    }
}

TEST_CASE("destroy of a root that is a mount point deletes all but its directory") {
    const Scene scene(".");
    SKIP_UNLESS(scene, "the right to mount");
    const auto checked = Cache::check_destroy(scene.root());
    REQUIRE_FALSE(checked);
    CHECK(contains(checked.error().message(), "only this directory would be left"));
    CHECK(contains(checked.error().message(), "unmount it, or leave it"));
    CHECK(count_entries(scene.root()) > 0);
    const auto destroyed = Cache::destroy(scene.root());
    REQUIRE_FALSE(destroyed);
    CHECK(destroyed.error().code == checked.error().code);
    INFO(destroyed.error().message());
    CHECK(contains(destroyed.error().message(), "the cache is gone"));
    CHECK(contains(destroyed.error().message(), "unmount it, or leave it"));
    CHECK(count_entries(scene.root()) == 0);
}
