// SPDX-License-Identifier: MIT
// Verify: beside writers it reports no false finding. It finds all damage that is made by hand, and
// repair costs no sound entry.

#include <sstream>

#include "catch.hpp"
#include "protocol/finding_list.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

using Kind = Finding::Kind;

/// Returns "kind name, kind name", sorted; a name is the last component of a finding's path.
std::string summary(const VerifyReport& report) {
    std::vector<std::string> parts;
    for (const auto& finding : report.findings)
        parts.push_back(std::string(name_of(finding.kind)) + " " +
                        finding.path.filename().string());
    std::sort(parts.begin(), parts.end());
    std::string text;
    for (const auto& part : parts) text += (text.empty() ? "" : ", ") + part;
    return text;
}

/// The points between verify's listings.
const std::vector<std::string> listing_points = {"verify.archive-listed", "verify.buckets-listed",
                                                 "verify.retired-buckets-listed"};

/// Verifies in a process, which says what was found.
Child verifier(const Scene& scene, const std::string& hold_at, bool repair = false) {
    return Child(
        [&scene, repair](Child& child) {
            const auto report = value(open_cache(scene.root).verify({repair}));
            child.say("found: " + summary(report));
        },
        {{hold_at}, {}});
}

/// Requires that one repair and one collection make the cache sound, with `live` entries left.
void require_healed(const Scene& scene, std::size_t live) {
    const auto repaired = value(scene.cache.verify({true}));
    CHECK(repaired.sound());
    for (const auto& finding : repaired.findings) CHECK(finding.repaired);
    CHECK(summary(value(scene.cache.verify())) == "");
    require_no_leak(scene.root, live);
}

fs::path bucket_path(const Scene& scene) { return keys_of(scene.root / "buckets" / "b"); }
fs::path entry_path(const Scene& scene, const std::string& id) {
    return scene.root / "archive" / id;
}

/// Writes a link of the cache's kind with a text that larder never writes.
void write_malformed(const Scene& scene, const fs::path& path) {
    plant_text(scene.cache, path, "/etc/passwd");
}

}  // namespace

// ---- beside writers ----

TEST_CASE("verify beside writers finds nothing, whatever moves between its listings") {
    for (const bool repair : {false, true}) {
        for (const std::string& point : listing_points) {
            INFO("held at " << point << (repair ? ", repairing" : ""));
            const Scene scene;
            for (const char* key : {"stays", "replaced", "removed", "back"})
                put(scene.bucket, key, "old");
            const Bucket refreshed = value(scene.cache.bucket("refreshed"));
            put(refreshed, "k", "old");
            Child verify = verifier(scene, point, repair);
            verify.wait_for(point);
            put(scene.bucket, "new", "new");
            put(scene.bucket, "replaced", "new");
            value(scene.bucket.remove("removed"));
            value(scene.bucket.remove("back"));
            put(scene.bucket, "back", "new");
            value(refreshed.refresh());
            put(refreshed, "k", "new");
            put(refreshed, "k", "newer");
            verify.go_on();
            verify.wait_for("found: ");
            CHECK(verify.join() == 0);
            for (const char* key : {"new", "replaced", "back"})
                CHECK(content_of(scene.bucket, key) == "new");
            CHECK(content_of(scene.bucket, "stays") == "old");
            CHECK(content_of(refreshed, "k") == "newer");
            require_no_leak(scene.root, 5);
        }
    }
}

TEST_CASE(
    "verify finds nothing while a publish is held at any point, and goes on between verify's "
    "listings") {
    for (const bool replaces : {false, true}) {
        for (const std::string at :
             {"stage.linked", "stage.made", "publish.listed", "publish.recorded", "publish.leased",
              "publish.locked", "publish.placed"}) {
            for (const std::string& point : listing_points) {
                INFO("publish held at " << at << ", verify at " << point);
                const Scene scene;
                if (replaces) put(scene.bucket, "k", "old");
                Child publish(
                    [&](Child& child) {
                        put(open_bucket(scene.root), "k", "new");
                        child.say("published");
                    },
                    {{at}, {}});
                publish.wait_for(at);
                CHECK(summary(value(scene.cache.verify())) == "");
                Child verify = verifier(scene, point, true);
                verify.wait_for(point);
                go_on_until(publish, "published");
                verify.go_on();
                verify.wait_for("found: ");
                CHECK(publish.join() == 0);
                CHECK(verify.join() == 0);
                CHECK(content_of(scene.bucket, "k") == "new");
                require_no_leak(scene.root, 1);
            }
        }
    }
}

TEST_CASE(
    "verify meets the link that a late publish exchanges out of a refreshed bucket, wherever it "
    "went",
    "[not-windows]") {  // which exchanges no names
    // 1. P is about to exchange; a refresh moves the bucket aside
    // 2. V has listed the archive, or the buckets
    // 3. P exchanges the old link out of the moved bucket into its staging area, and from there may
    //    retire it
    for (const bool retires : {true, false}) {
        for (const std::string& point : listing_points) {
            INFO("verify held at " << point << (retires ? ", link retired" : ", link in staging"));
            const Scene scene;
            put(scene.bucket, "k", "old");
            Child publish(
                [&](Child& child) {
                    put(open_bucket(scene.root), "k", "new");
                    child.say("published");
                },
                {{"publish.before-exchange", "publish.placed"}, {}});
            publish.wait_for("publish.before-exchange");
            value(scene.bucket.refresh());
            const fs::path moved =
                fs::directory_iterator(scene.root / "retired" / "buckets")->path();
            Child verify = verifier(scene, point, true);
            verify.wait_for(point);
            // This is what a rename does that looked the bucket up before it was moved.
            fs::rename(moved, scene.root / "buckets" / "b");
            publish.go_on();
            publish.wait_for("publish.placed");
            fs::rename(scene.root / "buckets" / "b", moved);
            if (retires) go_on_until(publish, "published");
            verify.go_on();
            verify.wait_for("found: ");
            if (!retires) go_on_until(publish, "published");
            CHECK(publish.join() == 0);
            CHECK(verify.join() == 0);
            require_no_leak(scene.root, 0);
        }
    }
}

TEST_CASE("a path has a finding until the last one there is taken back") {
    protocol::FindingList findings;
    CHECK_FALSE(findings.has("a/b"));
    findings.add(Kind::dangling, "a/b", "one");
    findings.add(Kind::shared, "a/b", "another");
    findings.take_back(1);
    CHECK(findings.has("a/b"));
    value(findings.add_foreign("a/b"));  // it has one
    value(findings.add_foreign("a/c"));
    value(findings.add_foreign("a/c"));
    findings.take_back(1);
    CHECK_FALSE(findings.has("a/c"));
    CHECK(findings.take_all().size() == 1);
    CHECK_FALSE(findings.has("a/b"));
}

TEST_CASE("verify keeps collectors out, and waits for nothing but a bucket's lock") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child verify = verifier(scene, "verify.archive-listed");
    verify.wait_for("verify.archive-listed");
    CHECK(outcome(scene.cache.collect()) == "busy");
    CHECK(outcome(scene.cache.verify()) == "busy");
    verify.go_on();
    verify.wait_for("found: ");
    CHECK(verify.join() == 0);
}

TEST_CASE("verify changes nothing unless it may repair") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    const std::string orphan = put(scene.bucket, "orphan", "old").id();
    fs::remove(bucket_path(scene) / "orphan");
    write_malformed(scene, bucket_path(scene) / "malformed");
    (void)value(scene.cache.verify());
    const auto before = snapshot(scene.root);
    CHECK_FALSE(value(scene.cache.verify()).sound());
    CHECK(snapshot(scene.root) == before);
}

TEST_CASE("verify counts the entries: live, garbage, all") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    put(scene.bucket, "k", "new");
    put(scene.bucket, "k2", "x");
    put(value(scene.cache.bucket("b2")), "k", "x");
    value(value(scene.cache.bucket("b2")).refresh());
    const auto report = value(scene.cache.verify());
    CHECK(report.entries == 4);
    CHECK(report.live == 2);
    CHECK(report.garbage == 2);
    CHECK(report.sound());
}

// ---- damage by hand ----

TEST_CASE("dangling: a link to an entry that does not exist, or has no tree") {
    const Scene scene;
    put(scene.bucket, "sound", "x");
    fs::remove_all(entry_path(scene, put(scene.bucket, "gone", "x").id()));
    fs::remove_all(entry_path(scene, put(scene.bucket, "treeless", "x").id()) / "tree");
    const auto report = value(scene.cache.verify());
    CHECK(summary(report) == "dangling gone, dangling treeless");
    CHECK_FALSE(report.sound());
    require_healed(scene, 1);
    CHECK(content_of(scene.bucket, "sound") == "x");
    CHECK(content_of(scene.bucket, "gone") == "");
}

TEST_CASE("malformed: a link with another text, a record that is cut off, changed or missing") {
    const Scene scene;
    put(scene.bucket, "sound", "x");
    write_malformed(scene, bucket_path(scene) / "link");
    const fs::path cut = entry_path(scene, put(scene.bucket, "cut", "x").id()) / "record";
    write_file(cut, read_file(cut).substr(0, 40));
    const fs::path changed = entry_path(scene, put(scene.bucket, "changed", "x").id()) / "record";
    std::string text = read_file(changed);
    text[text.find("key") + 5] ^= 1;
    write_file(changed, text);
    fs::remove(entry_path(scene, put(scene.bucket, "recordless", "x").id()) / "record");
    const auto report = value(scene.cache.verify());
    CHECK(summary(report) ==
          "malformed link, malformed record, malformed record, malformed record");
    CHECK_FALSE(report.sound());
    require_healed(scene, 1);
    CHECK(content_of(scene.bucket, "sound") == "x");
}

TEST_CASE("misnamed: a link to another key's entry") {
    // Two entries have swapped their keys, by hand.
    const Scene scene;
    put(scene.bucket, "sound", "x");
    put(scene.bucket, "a", "a");
    put(scene.bucket, "b", "b");
    fs::rename(bucket_path(scene) / "a", scene.dir.path() / "a");
    fs::rename(bucket_path(scene) / "b", bucket_path(scene) / "a");
    fs::rename(scene.dir.path() / "a", bucket_path(scene) / "b");
    const auto report = value(scene.cache.verify());
    CHECK(summary(report) == "misnamed a, misnamed b");
    CHECK_FALSE(report.sound());
    require_healed(scene, 1);
    CHECK(content_of(scene.bucket, "sound") == "x");
}

TEST_CASE("shared: an entry that its key and a copy of the link name stays live") {
    const std::vector<std::string> copies = {"buckets/b/copy", "retired/links/" + fresh_name(),
                                             "buckets/b2/k"};
    for (const auto& copy : copies) {
        INFO("copied to " << copy);
        const Scene scene;
        put(value(scene.cache.bucket("b2")), "other", "x");
        const std::string id = put(scene.bucket, "k", "x").id();
        const fs::path directory = (scene.root / copy).parent_path();
        const bool is_bucket = copy.starts_with("buckets");
        plant_link(scene.cache, is_bucket ? keys_of(directory) : directory,
                   fs::path(copy).filename().string(), id);
        const auto report = value(scene.cache.verify());
        if (links_are_junctions() && !is_bucket) {
            // A dead publisher may have left it.
            CHECK(report.sound());
            require_no_leak(scene.root, 2);
        } else {
            CHECK(contains(summary(report), "shared " + id));
            CHECK_FALSE(report.sound());
            require_healed(scene, 2);
        }
        CHECK(content_of(scene.bucket, "k") == "x");
    }
}

TEST_CASE("an entry that two retired links name is no fault, and is collected once") {
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "x").id();
    value(scene.bucket.remove("k"));
    plant_link(scene.cache, scene.root / "retired" / "links", fresh_name(), id);
    CHECK(summary(value(scene.cache.verify())) == "");
    CHECK(value(scene.cache.collect()).entries == 1);
    require_healed(scene, 0);
}

TEST_CASE(
    "orphan: an entry that no link names is given a link, and collected unless it is leased") {
    const Scene scene;
    put(scene.bucket, "sound", "x");
    Lease lease = put(scene.bucket, "k", "orphan");
    fs::remove(bucket_path(scene) / "k");
    const auto report = value(scene.cache.verify());
    CHECK(summary(report) == "orphan " + lease.id());
    CHECK_FALSE(report.sound());
    CHECK(value(scene.cache.verify({true})).sound());
    CHECK(value(scene.cache.collect()).entries == 0);
    CHECK(content_of(lease) == "orphan");
    lease.release();
    require_healed(scene, 1);
}

TEST_CASE("participant: a table that can't be read is found, and freed if no process has it") {
    const Scene scene;
    put(scene.bucket, "k", "x");
    write_file(scene.root / "participants" / "1", std::string(16384, '2'));
    for (const bool repair : {false, true}) {
        const auto report = value(scene.cache.verify({repair}));
        CHECK(contains(summary(report), "participant"));
        CHECK(report.sound() == repair);
    }
    CHECK(read_file(scene.root / "participants" / "1") == std::string(16384, '\0'));
    CHECK(value(scene.cache.verify()).findings.empty());
}

TEST_CASE("foreign: unknown names in every directory are listed, left alone, and break nothing") {
    const Scene scene;
    const std::string id = put(scene.bucket, "k", "x").id();
    value(scene.bucket.pin("k"));
    (void)value(scene.cache.collect());
    std::size_t planted = 0;
    std::vector<fs::path> directories = {keys_of(scene.root / "buckets" / "b")};
    for (const char* directory : {"", "pins/b", "participants", "staging", "staging/0", "archive",
                                  "retired", "retired/links", "retired/buckets"})
        directories.push_back(scene.root / directory);
    if (buckets_are_pointers()) directories.push_back(scene.root / "generations");
    for (const fs::path& directory : directories) {
        write_file(directory / "Foreign file", "x");
        fs::create_directory(directory / "Foreign directory");
        planted += 2;
    }
    write_file(scene.root / "buckets" / "Foreign file", "x");
    write_file(scene.root / "pins" / "Foreign file", "x");
    write_file(entry_path(scene, id) / "foreign", "x");
    planted += 3;
    for (const bool repair : {false, true}) {
        const auto report = value(scene.cache.verify({repair}));
        CHECK(report.sound());
        CHECK(report.findings.size() == planted);
        for (const auto& finding : report.findings) {
            INFO(finding.path);
            CHECK(finding.kind == Kind::foreign);
            CHECK_FALSE(finding.repaired);
            CHECK(fs::exists(finding.path));
        }
        (void)value(scene.cache.collect());
    }
    CHECK(content_of(scene.bucket, "k") == "x");
}

TEST_CASE("no call follows a link that leads out of the cache") {
    const Scene scene;
    const fs::path outside = scene.dir.path() / "outside";
    fill(outside, "precious");
    const auto before = snapshot(outside);
    put(scene.bucket, "k", "x");
    const std::vector<std::string> targets = {outside.string(), "../../../outside",
                                              "../../archive/../../outside", "../../archive"};
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const fs::path path = bucket_path(scene) / ("out" + std::to_string(i));
        plant_text(scene.cache, path, targets[i]);
        CHECK(content_of(scene.bucket, "out" + std::to_string(i)) == "");
    }
    CHECK(value(scene.cache.verify()).findings.size() == targets.size());
    require_healed(scene, 1);
    CHECK(snapshot(outside) == before);
    CHECK(content_of(scene.bucket, "k") == "x");
}

TEST_CASE(
    "every kind of damage at once: one repair and one collection leave just the sound entries") {
    const Scene scene;
    std::vector<Lease> leases;
    for (int i = 0; i < 5; ++i) put(scene.bucket, "sound" + std::to_string(i), "sound");
    put(scene.bucket, "sound0", "sound");
    fs::remove_all(entry_path(scene, put(scene.bucket, "dangling", "x").id()));
    write_malformed(scene, bucket_path(scene) / "malformed");
    write_file(entry_path(scene, put(scene.bucket, "cut", "x").id()) / "record",
               "larder record 1\n");
    plant_link(scene.cache, bucket_path(scene), "copy", value(scene.bucket.info("sound1")).id);
    plant_link(scene.cache, scene.root / "retired" / "links", fresh_name(),
               value(scene.bucket.info("sound2")).id);
    put(scene.bucket, "orphan", "x");
    fs::remove(bucket_path(scene) / "orphan");
    CHECK_FALSE(value(scene.cache.verify()).sound());
    require_healed(scene, 5);
    for (int i = 0; i < 5; ++i)
        CHECK(content_of(scene.bucket, "sound" + std::to_string(i)) == "sound");
    CHECK(content_of(scene.bucket, "copy") == "");
}

TEST_CASE("a repair does not retire what was published under the key meanwhile") {
    // 1. V has listed the archive; "k" leads nowhere
    // 2. another process puts "k"
    // 3. V judges the link that is there now
    const Scene scene;
    fs::remove_all(entry_path(scene, put(scene.bucket, "k", "old").id()));
    Child verify = verifier(scene, "verify.archive-listed", true);
    verify.wait_for("verify.archive-listed");
    put(scene.bucket, "k", "new");
    verify.go_on();
    verify.wait_for("found: ");
    CHECK(verify.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a repair does not retire a link that replaced the one that it judged",
          "[not-windows]") {  // where the publish has the lock alone
    // 1. P is about to exchange the link of "k", which leads nowhere, under the shared lock
    // 2. V has judged the link, and waits for the exclusive lock
    // 3. P exchanges
    // 4. V has the lock, and finds another link than it judged: nothing is left to report
    const Scene scene;
    fs::remove_all(entry_path(scene, put(scene.bucket, "k", "old").id()));
    Child publish(
        [&](Child& child) {
            put(open_bucket(scene.root), "k", "new");
            child.say("published");
        },
        {{"publish.before-exchange"}, {}});
    publish.wait_for("publish.before-exchange");
    Child verify = verifier(scene, "lock.at-gate", true);
    verify.wait_for("lock.at-gate");
    publish.go_on();
    publish.wait_for("published");
    verify.go_on();
    verify.wait_for("found: ");
    CHECK(publish.join() == 0);
    CHECK(verify.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "new");
    require_no_leak(scene.root, 1);
}
