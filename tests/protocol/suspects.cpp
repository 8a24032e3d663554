// SPDX-License-Identifier: MIT
// Entries of an earlier boot that no watermark covers: each is compared with its manifest once,
// before it is served. tests/power/ tears entries by cuts; here it is done by hand.

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>

#include <fstream>

#include <larder/content.hpp>

#include "catch.hpp"
#include "format/boot_file.hpp"
#include "format/judged_file.hpp"
#include "os/clock.hpp"
#include "scene.hpp"
#include "traced.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Runs `body` in a process of the boot with this number. 0 is the boot in which the test runs.
void in_boot(int boot, const std::function<void()>& body) {
    Child child([&](Child& self) {
        fail_at(self, {{"os.other-boot", boot}});
        body();
    });
    REQUIRE(child.join() == 0);
}

/// Returns whether watermarks can be written here. Where the file system does not tell when a
/// directory was made, or does not say what is on the disk, there are none.
bool has_watermarks(const Scene& scene) {
    value(scene.cache.settle());
    const fs::path boots = scene.root / "boots";
    return fs::exists(boots) && contains(read_file(*fs::directory_iterator(boots)), "synced ");
}

OpenOptions with_digests() {
    OpenOptions options = test_options();
    options.digests = {&sha256()};
    return options;
}

fs::path entry_of(const Scene& scene, const std::string& id) { return scene.root / "archive" / id; }

/// Changes an entry so that no watermark can have covered it. If it is judged, it is a miss.
void tear(const fs::path& entry) { write_file(entry / "tree" / "f0", ""); }

/// Returns what a get of "k" in a process of a later boot finds.
std::string found(const fs::path& root, int boot = 1, const OpenOptions& options = test_options()) {
    std::string content;
    Child reader([&](Child& self) {
        fail_at(self, {{"os.other-boot", boot}});
        const auto got = open_bucket(root, options).get("k");
        self.say(got ? "f0=" + read_file(got->path() / "f0") : outcome(got));
    });
    content = reader.listen();
    REQUIRE(reader.join() == 0);
    return content;
}

/// Lets another process put "k", and returns the path of its entry. It is held at the point
/// `hold_at`, and meanwhile `meanwhile` runs.
fs::path put_in_process(const Scene& scene, const std::string& hold_at,
                        const std::function<void()>& meanwhile) {
    std::string id;
    Child publisher(
        [&](Child& self) {
            const Lease lease = put(open_bucket(scene.root), "k", "x");
            self.say(lease.id());
        },
        {{hold_at}, {}});
    publisher.wait_for(hold_at);
    meanwhile();
    publisher.go_on();
    id = publisher.listen();
    REQUIRE(publisher.join() == 0);
    return entry_of(scene, id);
}

}  // namespace

TEST_CASE(
    "a suspect is a miss if a name, a mode or a size differs, and by digests if a byte does") {
    struct Damage {
        std::string what;
        std::function<void(const fs::path& tree)> make;
        bool needs_digests = false;
    };
    const std::vector<Damage> damages = {
        {"a file is empty", [](const fs::path& tree) { write_file(tree / "f0", ""); }},
        {"a file is short", [](const fs::path& tree) { fs::resize_file(tree / "sub/deep/f2", 3); }},
        {"a byte is another one",
         [](const fs::path& tree) { write_file(tree / "sub/f1", "wholE"); }, true},
        {"a mode is another one",
         [](const fs::path& tree) {
             fs::permissions(tree / "f0", fs::perms::others_exec, fs::perm_options::add);
         }},
        {"a file is missing", [](const fs::path& tree) { fs::remove(tree / "sub/f1"); }},
        {"a file was added", [](const fs::path& tree) { write_file(tree / "sub/more", ""); }},
        {"a directory is missing", [](const fs::path& tree) { fs::remove_all(tree / "sub/deep"); }},
        {"the manifest is cut off",
         [](const fs::path& tree) {
             const fs::path manifest = tree.parent_path() / "manifest";
             fs::resize_file(manifest, fs::file_size(manifest) - 1);
         }},
    };
    for (const Damage& damage : damages) {
        for (const bool digests : {false, true}) {
            INFO(damage.what << (digests ? ", with digests" : ""));
            const Scene scene;
            PublishOptions how;
            how.digest = &sha256();
            const std::string id = put(scene.bucket, "k", "whole", how).id();
            damage.make(entry_of(scene, id) / "tree");
            OpenOptions reading = digests ? with_digests() : test_options();
            const bool is_seen = digests || !damage.needs_digests;
            const std::string as_it_is = "f0=" + read_file(entry_of(scene, id) / "tree/f0");
            // An entry of the present boot is not looked at.
            CHECK(found(scene.root, 0, reading) == as_it_is);
            reading.read_only = true;
            CHECK(found(scene.root, 1, reading) == (is_seen ? "miss" : as_it_is));
            CHECK_FALSE(fs::exists(entry_of(scene, id) / "judged"));
            reading.read_only = false;
            std::string told;
            in_boot(1, [&] {
                OpenOptions options = reading;
                options.on_event = [&](const Event& event) {
                    told += std::string(name_of(event.kind)) + " " + std::string(event.key) + " " +
                            std::string(event.what);
                };
                const Bucket bucket = open_bucket(scene.root, options);
                Child::must(outcome(bucket.get("k")) == (is_seen ? "miss" : "ok"), "the get");
                Child::must(told == (is_seen ? "repaired k a torn entry" : ""), told);
                Child::must(value(bucket.keys()).size() == (is_seen ? 0 : 1), "the link");
            });
            if (is_seen) require_no_leak(scene.root, 0);
        }
    }
}

TEST_CASE("a suspect is judged once in a boot, and again in the next one") {
    const Scene scene;
    const fs::path entry = entry_of(scene, put(scene.bucket, "k", "x").id());
    CHECK(found(scene.root) == "f0=x");
    REQUIRE(fs::exists(entry / "judged"));
    CHECK(value(scene.cache.verify()).findings.empty());
    // A process that judged it again would see this.
    tear(entry);
    CHECK(found(scene.root) == "f0=");
    CHECK(found(scene.root, 2) == "miss");
}

TEST_CASE("a judgement that was cut off or changed anywhere is none") {
    const Scene scene;
    const fs::path entry = entry_of(scene, put(scene.bucket, "k", "x").id());
    REQUIRE(found(scene.root) == "f0=x");
    const std::string judged = read_file(entry / "judged");
    for (std::size_t length = 0; length < judged.size(); length += 7) {
        INFO(length);
        write_file(entry / "judged", judged.substr(0, length));
        CHECK(found(scene.root) == "f0=x");
        CHECK(read_file(entry / "judged") != judged.substr(0, length));
    }
    write_file(entry / "judged", judged.substr(0, judged.size() - 1));
    tear(entry);
    CHECK(found(scene.root) == "miss");
}

TEST_CASE("what a settle has brought to the disk is not compared, neither is what was judged") {
    const Scene scene;
    const fs::path published = entry_of(scene, put(scene.bucket, "k", "x").id());
    if (!has_watermarks(scene)) return;
    tear(published);
    CHECK(found(scene.root) == "f0=");
    CHECK_FALSE(fs::exists(published / "judged"));
    const fs::path judged = entry_of(scene, put(scene.bucket, "k", "y").id());
    CHECK(found(scene.root) == "f0=y");
    in_boot(1, [&] { value(open_cache(scene.root).settle()); });
    tear(judged);
    CHECK(found(scene.root, 2) == "f0=");
    // Boot 3 judges it by what boot 1 has written, and not by the watermark of boot 0.
    fs::remove(judged / "judged");
    CHECK(found(scene.root, 3) == "miss");
}

TEST_CASE("a judgement is not covered by a watermark that came before its comparison ended") {
    const Scene scene;
    if (!has_watermarks(scene)) return;
    fs::remove_all(scene.root / "boots");
    const fs::path entry = entry_of(scene, put(scene.bucket, "k", "whole").id());
    Child reader([&](Child& self) {
        fail_at(self, {{"os.other-boot", 1}}, {{"judge.begun"}, {}});
        Child::must(content_of(open_bucket(scene.root), "k") == "whole", "not served");
    });
    reader.wait_for("judge.begun");
    in_boot(1, [&] { value(open_cache(scene.root).settle()); });
    // Now, after that sync, a program that copies the cache could write the entry's file.
    reader.go_on();
    CHECK(reader.join() == 0);
    REQUIRE(fs::exists(entry / "judged"));
    tear(entry);  // a power cut
    CHECK(found(scene.root, 2) == "miss");
}

TEST_CASE("an entry below a watermark is served even so only if its record is whole") {
    const Scene scene;
    // 1. P has filled its stage and written its manifest, and is held before its record
    // 2. another process settles the cache
    const fs::path entry =
        put_in_process(scene, "publish.listed", [&] { value(scene.cache.settle()); });
    if (!has_watermarks(scene)) return;
    const std::string record = read_file(entry / "record");
    tear(entry);
    CHECK(found(scene.root) == "f0=");
    write_file(entry / "record", record.substr(0, record.size() / 2));
    CHECK(found(scene.root) == "miss");
}

TEST_CASE("a watermark does not cover what was published while the disk was synced") {
    const Scene scene;
    if (!has_watermarks(scene)) return;
    // 1. S has synced the disk, and is held before it writes the watermark
    // 2. P publishes
    Child settling([&](Child&) { value(open_cache(scene.root).settle()); },
                   {{"settle.synced"}, {}});
    settling.wait_for("settle.synced");
    const fs::path entry = entry_of(scene, put(scene.bucket, "k", "x").id());
    settling.go_on();
    REQUIRE(settling.join() == 0);
    tear(entry);
    CHECK(found(scene.root) == "miss");
}

TEST_CASE("watermarks only rise") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    if (!has_watermarks(scene)) return;
    const fs::path file = *fs::directory_iterator(scene.root / "boots");
    // 1. S has synced the disk, and is held before it writes the watermark
    // 2. a later settle writes a higher one
    Child settling([&](Child&) { value(open_cache(scene.root).settle()); },
                   {{"settle.synced"}, {}});
    settling.wait_for("settle.synced");
    value(scene.cache.settle());
    const std::string higher = read_file(file);
    settling.go_on();
    REQUIRE(settling.join() == 0);
    CHECK(read_file(file) == higher);
    // A collection that notes its look for orphans keeps it, and the other way round.
    (void)value(scene.cache.collect());
    const std::string with_both = read_file(file);
    const auto both = format::parse_boot_file(with_both);
    CHECK(both.settled);
    REQUIRE(both.watermark);
    CHECK(*both.watermark == format::parse_boot_file(higher).watermark);
    value(scene.cache.settle());
    CHECK(format::parse_boot_file(read_file(file)).settled);
}

TEST_CASE("a watermark that was cut off, or belongs to another root, is none") {
    const Scene scene;
    const fs::path entry = entry_of(scene, put(scene.bucket, "k", "x").id());
    if (!has_watermarks(scene)) return;
    tear(entry);
    const fs::path file = *fs::directory_iterator(scene.root / "boots");
    const std::string text = read_file(file);
    // A copy of the cache has the watermark, and its files may not be on the disk.
    const fs::path copy = scene.dir.path() / "copy";
    fs::copy(scene.root, copy, fs::copy_options::recursive | fs::copy_options::copy_symlinks);
    REQUIRE(read_file(*fs::directory_iterator(copy / "boots")) == text);
    CHECK(found(copy) == "miss");
    CHECK(found(scene.root) == "f0=");
    write_file(file, text.substr(0, text.size() - 1));
    CHECK(found(scene.root) == "miss");
}

TEST_CASE("without the time at which the root was made, there is no watermark") {
    const Scene scene;
    const fs::path entry = entry_of(scene, put(scene.bucket, "k", "x").id());
    {
        const FailingHere failing({{"os.birth", 1}});
        value(scene.cache.settle());
    }
    CHECK_FALSE(fs::exists(scene.root / "boots"));
    tear(entry);
    CHECK(found(scene.root) == "miss");
}

TEST_CASE("a process in another time namespace is not covered by a watermark") {
    const Scene scene;
    if (!has_watermarks(scene)) return;
    // The clock of the child's namespace is behind, so the time of its entry is before the
    // watermark, although the entry was published after it.
    std::string id;
    Child outer([&](Child& self) {
        if (::unshare(CLONE_NEWTIME) != 0) {
            self.say("");
            return;
        }
        std::ofstream offsets("/proc/self/timens_offsets");
        offsets << "boottime -60 0\n";
        offsets.close();
        Child::must(!offsets.fail(), "set the clock");
        Child inner([&](Child& child) {
            child.say(put(open_bucket(scene.root), "k", "x").id());
            child.hear();
        });
        self.say(inner.listen());
        inner.go_on();
        Child::must(inner.join() == 0, "the publisher failed");
    });
    id = outer.listen();
    REQUIRE(outer.join() == 0);
    if (id.empty()) {
        WARN("SKIPPED: needs the right to make a time namespace");
        return;
    }
    tear(entry_of(scene, id));
    CHECK(found(scene.root) == "miss");
}

TEST_CASE("a restore of a suspect compares it first, with its digests as well") {
    const Scene scene;
    PublishOptions how;
    how.digest = &sha256();
    const std::string id = put(scene.bucket, "k", "whole", how).id();
    value(scene.bucket.remove("k"));
    write_file(entry_of(scene, id) / "tree" / "f0", "wholE");
    // So that restore does not refuse it because of its time alone.
    in_boot(1, [&] {
        const Cache cache = open_cache(scene.root, with_digests());
        Child::must(outcome(cache.restore(id)) == "damaged", "it was restored");
    });
    CHECK(outcome(scene.bucket.get("k")) == "miss");
}

TEST_CASE("a collection settles the cache if it is asked to") {
    const Scene scene;
    const fs::path entry = entry_of(scene, put(scene.bucket, "k", "x").id());
    if (!has_watermarks(scene)) return;
    fs::remove_all(scene.root / "boots");
    (void)value(scene.cache.collect());
    const fs::path file = *fs::directory_iterator(scene.root / "boots");
    CHECK_FALSE(format::parse_boot_file(read_file(file)).watermark);
    CollectOptions dry;
    dry.dry_run = true;
    dry.settle = true;
    (void)value(scene.cache.collect({}, dry));
    CHECK_FALSE(format::parse_boot_file(read_file(file)).watermark);
    CollectOptions settling;
    settling.settle = true;
    (void)value(scene.cache.collect({}, settling));
    CHECK(format::parse_boot_file(read_file(file)).watermark);
    tear(entry);
    CHECK(found(scene.root) == "f0=");
}

TEST_CASE("a sync that fails leaves the watermark as it was, and is the collection's error") {
    const Scene scene;
    if (!has_watermarks(scene)) return;
    const fs::path file = *fs::directory_iterator(scene.root / "boots");
    const std::string before = read_file(file);
    const FailingHere failing({{"os.sync", EIO}});
    CHECK(outcome(scene.cache.settle()) == "system");
    CollectOptions settling;
    settling.settle = true;
    CHECK(outcome(scene.cache.collect({}, settling)) == "system");
    CHECK(format::parse_boot_file(read_file(file)).watermark ==
          format::parse_boot_file(before).watermark);
}

TEST_CASE("a put for power that syncs the file system raises the watermark") {
    const Scene scene;
    if (!has_watermarks(scene)) return;
    fs::remove_all(scene.root / "boots");
    put(scene.bucket, "k", "x");
    Staging staging = value(scene.bucket.stage());
    for (int i = 0; i < 20; ++i) write_file(staging.path() / std::to_string(i), "x");
    (void)value(scene.bucket.publish("many", std::move(staging), {Durability::power, ""}));
    REQUIRE(fs::exists(scene.root / "boots"));
    const auto file =
        format::parse_boot_file(read_file(*fs::directory_iterator(scene.root / "boots")));
    CHECK(file.watermark);
}

TEST_CASE("a collection in the background settles a cache at most every ten minutes") {
    const Scene scene;
    if (!has_watermarks(scene)) return;
    for (const bool asked : {false, true}) {
        INFO(asked);
        fs::remove_all(scene.root / "boots");
        std::string first;
        for (const bool again : {false, true}) {
            Child publisher([&](Child& self) {
                const Cache cache = open_cache(scene.root);
                BackgroundOptions options;
                options.every = std::chrono::seconds(0);
                options.settle = asked;
                options.on_done = [&](const Result<CollectReport>& done) {
                    self.say(outcome(done));
                };
                value(cache.keep_within({.max_entries = 100}, options));
                put(value(cache.bucket("b")), "k", "x");
                self.hear();
            });
            publisher.wait_for("ok");
            publisher.go_on();
            REQUIRE(publisher.join() == 0);
            const std::string text = read_file(*fs::directory_iterator(scene.root / "boots"));
            CHECK(contains(text, "synced ") == asked);
            if (again) CHECK(text == first);
            first = text;
        }
    }
}

TEST_CASE("below a watermark nothing of an entry's tree is read, and a judged one not again") {
    // Each get is by a process of its own, which remembers nothing.
    const Scene scene;
    put(scene.bucket, "k", "x");
    const bool watermarks = has_watermarks(scene);
    const fs::path judged = entry_of(scene, put(scene.bucket, "judged", "x").id());
    put(scene.bucket, "joined", "x");
    if (scene.cache.link_kind() != LinkKind::symlink || !watermarks) return;
    std::vector<int> opened;  // below the tree, for each get
    for (const std::string key : {"k", "judged", "judged"}) {
        const auto calls = trace(
            "openat",
            [&](Child& self) {
                fail_at(self, {{"os.other-boot", 1}});
                const Bucket bucket = open_bucket(scene.root);
                (void)value(bucket.get("joined"));  // joins the cache
                self.say("ready");
                self.hear();
                (void)value(bucket.get(key));
            },
            scene.dir.path() / "strace");
        if (!calls) {
            WARN("SKIPPED: there is no strace here, or no process may be traced");
            return;
        }
        int below = 0;
        for (const std::string& call : *calls) {
            const bool is_tree = contains(call, "\"tree\"") || contains(call, "/tree");
            if (is_tree) ++below;
        }
        opened.push_back(below);
    }
    CHECK(opened[0] == 0);
    CHECK(opened[1] > 0);
    CHECK(opened[2] == 0);
    CHECK(fs::exists(judged / "judged"));
}
