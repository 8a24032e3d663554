// SPDX-License-Identifier: MIT
// Entries that were made in an earlier boot of the machine: one whose record can't be read was torn
// by a power cut, and is a miss. tests/power/ tears entries by cuts; here it is done by hand.

#include <grp.h>
#include <unistd.h>

#include <fstream>

#include "catch.hpp"
#include "scene.hpp"
#include "traced.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Lets this process, and the children that it forks, be one of a later boot until the end of the
/// scope.
class LaterBoot {
public:
    LaterBoot() {
        os::set_point_hook(
            [](const char* name) { return name == std::string("os.other-boot") ? 1 : 0; });
    }
    ~LaterBoot() { os::set_point_hook({}); }
    LaterBoot(const LaterBoot&) = delete;
    LaterBoot& operator=(const LaterBoot&) = delete;
};

fs::path record_of(const Scene& scene, const std::string& id) {
    return scene.root / "archive" / id / "record";
}

/// Returns what each way of tearing a record leaves of it.
std::map<std::string, std::string> torn(const std::string& record) {
    std::string flipped = record;
    flipped[flipped.size() / 2] = static_cast<char>(flipped[flipped.size() / 2] ^ 1);
    return {{"emptied", ""},
            {"cut off", record.substr(0, record.size() - 1)},
            {"zeros", std::string(record.size(), '\0')},
            {"changed", flipped}};
}

/// Opens the cache of a scene once more, as another process would: with no memory of its gets.
Bucket reader_of(const Scene& scene) {
    OpenOptions options = test_options();
    options.read_only = true;
    return open_bucket(scene.root, options);
}

/// Runs `body` in another process.
void in_process(const std::function<void()>& body) {
    Child child([&](Child&) { body(); });
    REQUIRE(child.join() == 0);
}

}  // namespace

TEST_CASE("an entry of an earlier boot whose record can't be read is a miss, and is told as torn") {
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "x").id();
    const std::string record = read_file(record_of(scene, id));
    auto ways = torn(record);
    ways["missing"] = "";
    for (const auto& [way, left] : ways) {
        INFO(way);
        const Scene each;
        const std::string torn_id = put(each.bucket, "k", "x").id();
        write_file(record_of(each, torn_id), left);
        if (way == "missing") fs::remove(record_of(each, torn_id));
        in_process([&] {
            // In the boot in which it was made, no record is read.
            Child::must(content_of(open_bucket(each.root), "k") == "x", "a miss in its own boot");
        });
        in_process([&] {
            const LaterBoot later;
            Child::must(outcome(reader_of(each).get("k")) == "miss", "served without a lease");
            Child::must(fs::exists(fs::symlink_status(keys_of(each.root / "buckets/b") / "k")),
                        "a reader has changed the cache");
            std::string told;
            OpenOptions options = test_options();
            options.on_event = [&](const Event& event) {
                told += std::string(name_of(event.kind)) + " " + std::string(event.key) + " " +
                        std::string(event.what);
            };
            const Bucket bucket = open_bucket(each.root, options);
            Child::must(outcome(bucket.get("k")) == "miss", "served");
            Child::must(told == "repaired k a torn entry", told);
            Child::must(outcome(bucket.get("k")) == "miss", "served again");
            Child::must(value(bucket.keys()).empty(), "the link was not retired");
        });
        require_no_leak(each.root, 0);
    }
}

TEST_CASE("a torn entry whose bucket is locked is a miss, and the next publish replaces it",
          "[not-windows]") {  // where that publish needs the lock alone
    // 1. P publishes "other", and is held with the bucket's lock
    // 2. a get of the torn entry finds the lock taken, and waits for nothing
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "x").id();
    write_file(record_of(scene, id), "");
    Child publisher([&](Child&) { put(open_bucket(scene.root), "other", "x"); },
                    {{"publish.locked"}, {}});
    publisher.wait_for("publish.locked");
    in_process([&] {
        const LaterBoot later;
        const Bucket bucket = open_bucket(scene.root);
        Child::must(outcome(bucket.get("k")) == "miss", "served");
        Child::must(value(bucket.keys()).size() == 1, "the link was retired");
        put(bucket, "k", "new");
        Child::must(content_of(bucket, "k") == "new", "not replaced");
    });
    publisher.go_on();
    CHECK(publisher.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 2);
}

TEST_CASE("a whole entry of an earlier boot is served, and its record is read once") {
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "x").id();
    const std::string record = read_file(record_of(scene, id));
    in_process([&] {
        const LaterBoot later;
        const Bucket bucket = open_bucket(scene.root), reader = reader_of(scene);
        Child::must(content_of(bucket, "k") == "x", "not served");
        Child::must(content_of(reader, "k") == "x", "not served without a lease");
        // If either read it again, the entry would be a miss.
        write_file(record_of(scene, id), "");
        Child::must(content_of(bucket, "k") == "x", "its record was read again");
        Child::must(content_of(reader, "k") == "x", "its record was read again, without a lease");
        Child::must(outcome(bucket.get("l")) == "miss", "another key");
    });
    write_file(record_of(scene, id), record);
    CHECK(content_of(scene.bucket, "k") == "x");
}

TEST_CASE("an entry of an earlier boot is served to a user who may not read its record") {
    if (::geteuid() != 0) {
        WARN("SKIPPED: needs root");
        return;
    }
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "x").id();
    fs::permissions(scene.dir.path(), fs::perms(0755));
    for (const auto& entry : fs::recursive_directory_iterator(scene.root)) {
        if (entry.is_directory()) fs::permissions(entry.path(), fs::perms(0755));
    }
    fs::permissions(scene.root, fs::perms(0755));
    const fs::path link = keys_of(scene.root / "buckets/b") / "k";
    for (const fs::path& each : {link, scene.root / "buckets/b"})
        if (fs::is_regular_file(fs::symlink_status(each))) fs::permissions(each, fs::perms(0644));
    fs::permissions(record_of(scene, id), fs::perms(0600));
    in_process([&] {
        const LaterBoot later;
        Child::must(::setgroups(0, nullptr) == 0 && ::setgid(65534) == 0 && ::setuid(65534) == 0,
                    "give up the rights of root");
        Child::must(content_of(reader_of(scene), "k") == "x", "not served");
    });
}

TEST_CASE("a get of an entry of this boot makes no call for it, and one of an earlier boot a few") {
    const Scene scene;
    if (scene.cache.link_kind() != LinkKind::symlink) return;  // a small file needs other calls
    put(scene.bucket, "k", "x");
    put(scene.bucket, "joined", "x");
    // A process that gets it first compares it with its manifest, and writes that down. All others
    // read what was written.
    in_process([&] {
        const LaterBoot later;
        (void)value(open_bucket(scene.root).get("k"));
    });
    for (const int boot : {0, 1}) {
        const auto calls = trace(
            "!%memory",  // a sanitizer maps memory whenever it likes
            [&](Child& self) {
                os::set_point_hook([boot](const char* name) {
                    return name == std::string("os.other-boot") ? boot : 0;
                });
                const Bucket bucket = open_bucket(scene.root);
                (void)value(bucket.get("joined"));  // joins the cache
                self.say("ready");
                self.hear();
                (void)value(bucket.get("k"));
                ::getppid();  // ends the first get
                (void)value(bucket.get("k"));
                ::getppid();
            },
            scene.dir.path() / "strace");
        if (!calls) {
            WARN("SKIPPED: there is no strace here, or no process may be traced");
            return;
        }
        std::vector<std::vector<std::string>> gets(1);
        for (const std::string& call : *calls) {
            std::string name = name_of_call(call);
            if (name == "getppid") {
                gets.emplace_back();
                continue;
            }
            if (contains(call, "pipe:")) continue;     // the read for which the process was waiting
            if (name == "newfstatat") name = "fstat";  // C libraries differ in it
            gets.back().push_back(name);
            if (gets.size() == 3) break;
        }
        REQUIRE(gets.size() == 3);
        using Names = std::vector<std::string>;
        const Names read_judged = {"openat", "openat", "fstat", "read", "close", "close"};
        Names first = {"readlinkat", "readlinkat"};
        if (boot == 1) first.insert(first.end(), read_judged.begin(), read_judged.end());
        // For the time of the last use, where that is not written into a ring.
        if (!may_map_tables(scene.root)) first.push_back("fstat");
        INFO("boot " << boot);
        CHECK(gets[0] == first);
        CHECK(gets[1] == Names{"readlinkat"});
    }
}
