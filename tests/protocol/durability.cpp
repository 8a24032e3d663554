// SPDX-License-Identifier: MIT
// What a publish syncs, and in which order: its system calls, as strace shows them.

#include <optional>

#include "catch.hpp"
#include "os/process.hpp"
#include "scene.hpp"
#include "traced.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Returns the syncs and renames of one put by a process of its own; descriptors come with their
/// paths. Returns nothing if no process can be traced here.
std::optional<Lines> trace_put(const Scene& scene, Durability durability, int more_files) {
    return trace(
        "fsync,fdatasync,syncfs,sync,sync_file_range,msync,renameat2",
        [&](Child& self) {
            const Bucket bucket = open_bucket(scene.root);
            Staging staging = value(bucket.stage());
            fill(staging.path(), "new");
            for (int i = 0; i < more_files; ++i)
                write_file(staging.path() / ("more" + std::to_string(i)), "new");
            self.say("ready");
            self.hear();
            (void)value(bucket.publish("k", std::move(staging), {durability, "test"}));
        },
        scene.dir.path() / "strace");
}

/// Returns the number of the one line that holds all of `parts`. Fails if there is none.
std::size_t line_with(const Lines& lines, const std::vector<std::string>& parts) {
    for (std::size_t i = 0; i < lines.size(); ++i) {
        const auto holds = [&](const std::string& part) {
            return lines[i].find(part) != std::string::npos;
        };
        if (std::all_of(parts.begin(), parts.end(), holds)) return i;
    }
    std::string all;
    for (const auto& line : lines) all += line + "\n";
    FAIL("no call with " << parts.front() << " " << parts.back() << " in\n" << all);
    return 0;
}

std::size_t count_syncs(const Lines& lines) {
    return static_cast<std::size_t>(std::count_if(
        lines.begin(), lines.end(),
        [](const std::string& line) { return line.find("sync") != std::string::npos; }));
}

/// How the name of the key "k" ends in a call that renames a link to it.
std::string key_argument() { return buckets_are_pointers() ? "/k\"" : "\"b/k\""; }

/// How strace shows the directory that holds the keys of "b".
std::string keys_shown(const Scene& scene) {
    return keys_of(scene.root / "buckets" / "b").string() + ">";
}

void skip() { WARN("SKIPPED: there is no strace here, or no process may be traced"); }

}  // namespace

TEST_CASE(
    "for power: every file and directory is synced before the link is placed, and the link before "
    "publish returns",
    "[not-windows]") {  // which exchanges no names
    for (const bool replaces : {false, true}) {
        const Scene scene;
        if (replaces) put(scene.bucket, "k", "old");
        const auto lines = trace_put(scene, Durability::power, 0);
        if (!lines) return skip();
        const std::string id = value(scene.bucket.info("k")).id;
        const std::string staged = "/archive/" + id;
        const std::size_t placed =
            line_with(*lines, {"renameat2(", "\"l-" + id + "\"", key_argument(),
                               replaces ? "RENAME_EXCHANGE" : "RENAME_NOREPLACE"});
        const std::size_t archive =
            line_with(*lines, {"fsync(", scene.root.string() + "/archive>"});
        CHECK(archive < placed);
        for (const char* each : {"/tree/f0>", "/tree/sub/f1>", "/tree/sub/deep/f2>",
                                 "/tree/sub/deep>", "/tree/sub>", "/tree>", "/record>", ">"}) {
            INFO(each);
            CHECK(line_with(*lines, {"fsync(", staged + each + ")"}) < archive);
        }
        // A directory comes after what is in it.
        CHECK(line_with(*lines, {"fsync(", "/tree/sub/deep/f2>"}) <
              line_with(*lines, {"fsync(", "/tree/sub/deep>"}));
        CHECK(line_with(*lines, {"fsync(", "/record>"}) <
              line_with(*lines, {"fsync(", staged + ">)"}));
        if (scene.cache.link_kind() == LinkKind::file)
            CHECK(line_with(*lines, {"fsync(", "/l-" + id + ">"}) < placed);
        const std::size_t bucket = line_with(*lines, {"fsync(", keys_shown(scene)});
        CHECK(placed < line_with(*lines, {"fsync(", "/retired/links>"}));
        CHECK(line_with(*lines, {"fsync(", "/retired/links>"}) < bucket);
        CHECK(placed < line_with(*lines, {"fsync(", "/buckets>"}));
        if (buckets_are_pointers()) {
            // So a pointer that is on the disk leads somewhere.
            const std::size_t generations = line_with(*lines, {"fsync(", "/generations>"});
            CHECK(bucket < generations);
            CHECK(generations < line_with(*lines, {"fsync(", "/buckets>"}));
            if (!replaces && scene.cache.link_kind() == LinkKind::file)
                CHECK(line_with(*lines, {"fsync(", "/g-"}) <
                      line_with(*lines, {"renameat2(", "\"g-"}));
        }
        for (const auto& line : *lines) CHECK_FALSE(contains(line, "syncfs("));
    }
}

TEST_CASE("for power: one syncfs brings many files to the disk before the link is placed") {
    const Scene scene;
    const auto lines = trace_put(scene, Durability::power, 30);
    if (!lines) return skip();
    const std::string id = value(scene.bucket.info("k")).id;
    const std::size_t synced = line_with(*lines, {"syncfs("});
    const std::size_t placed =
        line_with(*lines, {"renameat2(", "\"l-" + id + "\"", key_argument()});
    const std::size_t archive = line_with(*lines, {"fsync(", "/archive>"});
    CHECK(synced < archive);
    CHECK(archive < placed);
    CHECK(placed < line_with(*lines, {"fsync(", keys_shown(scene)}));
    CHECK(placed < line_with(*lines, {"fsync(", "/buckets>"}));
}

TEST_CASE("for the death of a process nothing is synced") {
    for (const int more_files : {0, 30}) {
        const Scene scene;
        const auto lines = trace_put(scene, Durability::process, more_files);
        if (!lines) return skip();
        (void)line_with(*lines, {"renameat2(", key_argument()});
        CHECK(count_syncs(*lines) == 0);
    }
}

TEST_CASE("for power: what has gained a name is synced before what has lost it") {
    using Change = std::function<void(const Bucket&, Durability)>;
    struct Case {
        const char* name;
        Change change;
        // Below the root, in this order. "/buckets/b" stands for the directory of its keys.
        std::vector<std::string> synced;
    };
    const Change remove = [](const Bucket& bucket, Durability durability) {
        (void)bucket.remove("k", durability);
    };
    const std::vector<Case> cases = {
        {"remove", remove, {"/retired/links", "/buckets/b"}},
        {"remove of nothing", remove, {"/retired/links", "/retired/buckets", "/buckets"}},
        {"refresh",
         [](const Bucket& bucket, Durability durability) { value(bucket.refresh(durability)); },
         {"/retired/buckets", "/buckets"}},
        {"refresh of some keys",
         [](const Bucket& bucket, Durability durability) {
             (void)value(bucket.refresh({.pattern = "k", .durability = durability}));
         },
         {"/retired/links", "/retired/buckets", "/buckets/b", "/buckets"}},
        {"dry run",
         [](const Bucket& bucket, Durability durability) {
             (void)value(
                 bucket.refresh({.pattern = "k", .dry_run = true, .durability = durability}));
         },
         {}},
        {"pin",
         [](const Bucket& bucket, Durability durability) { value(bucket.pin("k", durability)); },
         {"/pins/b", "/pins", ""}},
        {"unpin",
         [](const Bucket& bucket, Durability durability) {
             value(bucket.unpin("pinned", durability));
         },
         {"/pins/b", "/pins"}},
    };
    for (const Durability durability : {Durability::power, Durability::process}) {
        for (const Case& each : cases) {
            INFO(each.name);
            const Scene scene;
            if (each.name != std::string("remove of nothing")) {
                put(scene.bucket, "k", "x");
                value(scene.bucket.pin("pinned"));
                value(scene.bucket.pin("other"));
            }
            const fs::path place = scene.root / "buckets" / "b";
            const std::string keys = fs::exists(place) ? keys_of(place).string() : "";
            const auto lines = trace(
                "fsync,fdatasync,syncfs,sync",
                [&](Child& self) {
                    const Bucket bucket = open_bucket(scene.root);
                    self.say("ready");
                    self.hear();
                    each.change(bucket, durability);
                },
                scene.dir.path() / "strace");
            if (!lines) return skip();
            if (durability == Durability::process) {
                CHECK(count_syncs(*lines) == 0);
                continue;
            }
            REQUIRE(count_syncs(*lines) == each.synced.size());
            for (std::size_t i = 0; i < each.synced.size(); ++i) {
                const std::string& synced = each.synced[i];
                const std::string path =
                    synced == "/buckets/b" ? keys : scene.root.string() + synced;
                CHECK(contains((*lines)[i], path + ">"));
            }
        }
    }
}

TEST_CASE("a remove, a refresh, a pin and an unpin that can't sync say so") {
    const auto with_failing_sync = [](const std::function<Result<>(const Bucket&)>& change) {
        const Scene scene;
        put(scene.bucket, "k", "x");
        value(scene.bucket.pin("pinned"));
        const FailingHere failing({{"os.sync", EIO}});
        const auto changed = change(scene.bucket);
        return changed ? 0 : changed.error().sys_errno;
    };
    CHECK(with_failing_sync(
              [](const Bucket& bucket) { return bucket.remove("k", Durability::power); }) == EIO);
    CHECK(with_failing_sync([](const Bucket& bucket) {
              return bucket.remove("absent", Durability::power);
          }) == EIO);
    CHECK(with_failing_sync(
              [](const Bucket& bucket) { return bucket.refresh(Durability::power); }) == EIO);
    CHECK(with_failing_sync([](const Bucket& bucket) {
              return bucket.refresh({.pattern = "k", .durability = Durability::power})
                  .map([](std::uint64_t) {});
          }) == EIO);
    CHECK(with_failing_sync(
              [](const Bucket& bucket) { return bucket.pin("k", Durability::power); }) == EIO);
    CHECK(with_failing_sync([](const Bucket& bucket) {
              return bucket.unpin("pinned", Durability::power);
          }) == EIO);
}

TEST_CASE("a restore has the stronger of two durabilities") {
    for (const bool published : {false, true}) {
        for (const bool asked : {false, true}) {
            const auto of = [](bool power) {
                return power ? Durability::power : Durability::process;
            };
            const Scene scene;
            const std::string id = put(scene.bucket, "k", "x", {of(published), ""}).id();
            value(scene.bucket.remove("k"));
            (void)value(scene.cache.restore(id, {.durability = of(asked)}));
            CHECK(value(scene.bucket.info("k")).durability == of(published || asked));
        }
    }
}

TEST_CASE("the record says what an entry survives, and in which boot it was made") {
    const Scene scene;
    for (const Durability durability : {Durability::process, Durability::power}) {
        put(scene.bucket, "k", "x", {durability, "test 1"});
        const auto info = value(scene.bucket.info("k"));
        CHECK(info.durability == durability);
        CHECK(info.boot == os::to_text(os::boot_id()));
        CHECK(info.producer == "test 1");
        CHECK(info.metadata.empty());
    }
}

TEST_CASE("an entry keeps the text of its publisher, also when it is restored") {
    const Scene scene;
    const std::string etag(1024, '\xff');
    const Lease lease = put(scene.bucket, "k", "x", {.metadata = etag});
    CHECK(value(lease.metadata()) == etag);
    CHECK(value(scene.bucket.info("k")).metadata == etag);
    value(scene.bucket.remove("k"));
    CHECK(value(value(scene.cache.restore(lease.id())).metadata()) == etag);
    CHECK(value(put(scene.bucket, "other", "x").metadata()).empty());
    CHECK(outcome(Lease().metadata()) == "invalid");

    // Too much is refused before anything is built or lost.
    Staging staging = value(scene.bucket.stage());
    fill(staging.path(), "new");
    const PublishOptions too_long{.metadata = etag + "m"};
    CHECK(outcome(scene.bucket.publish("k", std::move(staging), too_long)) == "invalid");
    CHECK(outcome(scene.bucket.publish("k", std::move(staging))) == "ok");
    bool is_called = false;
    const auto build = [&](Staging&) -> Result<> {
        is_called = true;
        return {};
    };
    CHECK(outcome(scene.bucket.get_or_build("new", build, too_long)) == "invalid");
    CHECK_FALSE(is_called);
}

TEST_CASE("a file that its owner may not read is synced as well") {
    // A file that its owner may not read can't be opened for fsync. Then the whole file system is
    // synced.
    const Scene scene;
    Staging staging = value(scene.bucket.stage());
    fill(staging.path(), "x");
    fs::permissions(staging.path() / "f0", fs::perms::none);
    const Lease lease =
        value(scene.bucket.publish("k", std::move(staging), {Durability::power, ""}));
    CHECK(fs::exists(lease.path() / "f0"));
}

TEST_CASE("a publish that can't sync its link has published nothing") {
    for (const bool replaces : {false, true}) {
        const Scene scene;
        if (replaces) put(scene.bucket, "k", "old");
        // 1. the tree is synced, and the link is placed
        // 2. the disk fails
        bool placed = false;
        os::set_point_hook([&](const char* name) {
            placed = placed || name == std::string("publish.retired");
            return placed && name == std::string("os.sync") ? EIO : 0;
        });
        Staging staging = value(scene.bucket.stage());
        fill(staging.path(), "new");
        const auto published =
            scene.bucket.publish("k", std::move(staging), {Durability::power, ""});
        os::set_point_hook({});
        CHECK(placed);
        REQUIRE_FALSE(published);
        CHECK(published.error().sys_errno == EIO);
        CHECK(outcome(scene.bucket.get("k")) == "miss");
        require_no_leak(scene.root, 0);
    }
}

TEST_CASE("a publish that can't sync its entry has changed nothing") {
    for (const std::string before : {"publish.recorded", "publish.leased"}) {
        const Scene scene;
        put(scene.bucket, "k", "old");
        bool failing = before == "publish.recorded";  // from the start until that point
        bool failed = false;
        os::set_point_hook([&](const char* name) {
            if (name == before) failing = !failing;
            if (!failing || name != std::string("os.sync")) return 0;
            failed = true;
            return EIO;
        });
        Staging staging = value(scene.bucket.stage());
        fill(staging.path(), "new");
        const auto published =
            scene.bucket.publish("k", std::move(staging), {Durability::power, ""});
        os::set_point_hook({});
        INFO("syncs fail around " << before);
        REQUIRE(failed);
        REQUIRE_FALSE(published);
        CHECK(content_of(scene.bucket, "k") == "old");
        require_no_leak(scene.root, 1);
    }
}

TEST_CASE("a moved tree whose publish can't sync is given back, or stays published") {
    // Once the key names the entry, another process may use it. Before that, it goes back.
    for (const std::string after : {"stage.made", "publish.leased", "publish.retired"}) {
        INFO("syncs fail after " << after);
        const Scene scene;
        const fs::path source = scene.root.parent_path() / "source";
        fill(source, "moved");
        bool failing = false;
        os::set_point_hook([&](const char* name) {
            failing = failing || name == after;
            return failing && name == std::string("os.sync") ? EIO : 0;
        });
        Staging staging = value(scene.bucket.stage());
        value(staging.move_from(source));
        const auto published =
            scene.bucket.publish("k", std::move(staging), {Durability::power, ""});
        os::set_point_hook({});
        REQUIRE_FALSE(published);
        INFO(published.error().message());
        CHECK(published.error().sys_errno == EIO);
        const bool stays = after == "publish.retired";
        CHECK(fs::exists(source / "f0") != stays);
        CHECK(outcome(scene.bucket.get("k")) == (stays ? "ok" : "miss"));
        CHECK((published.error().detail.find("stays published") != std::string::npos) == stays);
        require_no_leak(scene.root, stays ? 1 : 0);
    }
}
