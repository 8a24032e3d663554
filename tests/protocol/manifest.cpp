// SPDX-License-Identifier: MIT
// The manifest of an entry: what publish writes down, and what verify and restore make of it.

#include "format/manifest.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <larder/materialize.hpp>

#include "catch.hpp"
#include "os/clock.hpp"
#include "os/process.hpp"
#include "scene.hpp"
#include "support/socket.hpp"

using namespace larder;
using namespace larder::testing;
using Kind = Finding::Kind;

namespace {

/// A cache with one entry, "k", of a few files, directories and a symlink.
struct ManifestScene : Scene {
    ManifestScene() {
        Staging staging = value(bucket.stage());
        make_tree(staging.path());
        id = value(bucket.publish("k", std::move(staging))).id();
    }

    static void make_tree(const fs::path& tree) {
        fs::create_directories(tree / "lib/empty");
        write_file(tree / "METADATA", "12345");
        write_file(tree / "lib/run", "x");
        write_file(tree / "lib/a\nb", "");
        fs::permissions(tree / "lib/run", fs::perms(0755));
        fs::create_symlink("run", tree / "lib/link");
    }

    [[nodiscard]] fs::path entry() const { return root / "archive" / id; }
    [[nodiscard]] fs::path manifest() const { return entry() / "manifest"; }

    std::string id;
};

/// Returns "kind path: what" for each finding, with its path below the entry.
std::vector<std::string> findings_of(const ManifestScene& scene) {
    std::vector<std::string> lines;
    for (const Finding& finding : value(scene.cache.verify()).findings) {
        lines.push_back(std::string(name_of(finding.kind)) + " " +
                        finding.path.lexically_relative(scene.entry()).string() + ": " +
                        finding.what);
    }
    return lines;
}

using Lines = std::vector<std::string>;

/// Requires that a repair takes the key out, and that the cache is sound then.
void require_mended(const ManifestScene& scene) {
    CHECK_FALSE(value(scene.cache.verify()).sound());
    const auto repaired = value(scene.cache.verify({.repair = true}));
    CHECK(repaired.sound());
    CHECK(repaired.live == 0);
    CHECK(outcome(scene.bucket.get("k")) == "miss");
    CHECK(value(scene.cache.verify()).findings.empty());
    value(scene.cache.collect());
    require_no_leak(scene.root, 0);
}

}  // namespace

TEST_CASE("publish writes down what the tree holds, and when it was complete") {
    const os::BootTime before = os::boot_time();
    const ManifestScene scene;
    const os::BootTime after = os::boot_time();
    const std::string text = read_file(scene.manifest());
    const auto head = format::parse_manifest_head(text);
    REQUIRE(head);
    CHECK(head->boot == os::to_text(os::boot_id()));
    CHECK(head->since_boot >= before.since_boot);
    CHECK(head->since_boot <= after.since_boot);
    struct stat time_namespace {};
    if (::stat("/proc/self/ns/time", &time_namespace) == 0)
        CHECK(head->time_namespace == time_namespace.st_ino);
    CHECK(head->digest.empty());
    CHECK(text.find("\nd 0 755 .\nf 644 5 - METADATA\nd 1 755 lib\nf 644 0 - a\\nb\nl 3 - link\n"
                    "f 755 1 - run\nd 2 755 empty\nend ") != std::string::npos);
    CHECK(value(scene.cache.verify()).findings.empty());
    for (const char* file : {"METADATA", "lib/run", "lib/a\nb"}) {
        struct stat status {};
        REQUIRE(::stat((scene.entry() / "tree" / file).c_str(), &status) == 0);
        CHECK(head->newest >= os::FileTime{status.st_mtim.tv_sec,
                                           static_cast<std::uint32_t>(status.st_mtim.tv_nsec)});
    }
}

TEST_CASE("verify names what differs from the manifest, and a repair takes the key out") {
    struct Damage {
        std::function<void(const fs::path& tree)> make;
        Lines found;
    };
    const std::string was_added = ": it was added: the manifest does not list it";
    const Damage damage = GENERATE_COPY(values<Damage>({
        {[](const fs::path& tree) { fs::remove(tree / "METADATA"); },
         {"changed tree/METADATA: it is missing"}},
        {[](const fs::path& tree) { write_file(tree / "lib/more", ""); },
         {"changed tree/lib/more" + was_added}},
        {[](const fs::path& tree) { write_file(tree / "lib/run", "xy"); },
         {"changed tree/lib/run: it holds 2 bytes, and the manifest says 1"}},
        {[](const fs::path& tree) { fs::permissions(tree / "METADATA", fs::perms(0600)); },
         {"changed tree/METADATA: its mode is 600, and the manifest says 644"}},
        {[](const fs::path& tree) { fs::permissions(tree, fs::perms(0711)); },
         {"changed tree: its mode is 711, and the manifest says 755"}},
        {[](const fs::path& tree) { fs::rename(tree / "lib/run", tree / "lib/go"); },
         {"changed tree/lib/go" + was_added, "changed tree/lib/run: it is missing"}},
        {[](const fs::path& tree) { fs::remove(tree / "lib/empty"); },
         {"changed tree/lib/empty: it is missing"}},
        {[](const fs::path& tree) {
             fs::remove(tree / "lib/link");
             fs::create_symlink("elsewhere", tree / "lib/link");
         },
         {"changed tree/lib/link: its text has 9 bytes, and the manifest says 3"}},
        // Two files that swap their sizes have the same number and the same bytes together.
        {[](const fs::path& tree) {
             write_file(tree / "METADATA", "1");
             write_file(tree / "lib/run", "12345");
         },
         {"changed tree/METADATA: it holds 1 bytes, and the manifest says 5",
          "changed tree/lib/run: it holds 5 bytes, and the manifest says 1"}},
    }));
    const ManifestScene scene;
    damage.make(scene.entry() / "tree");
    CHECK(findings_of(scene) == damage.found);
    require_mended(scene);
}

TEST_CASE("a manifest that is cut off at any byte is found, and nothing else of its entry is") {
    const ManifestScene scene;
    const std::string whole = read_file(scene.manifest());
    for (std::size_t length = 0; length < whole.size(); ++length) {
        write_file(scene.manifest(), whole.substr(0, length));
        const Lines found = findings_of(scene);
        if (found.size() != 1 || !found[0].starts_with("malformed manifest: this is no manifest: "))
            FAIL_CHECK("not found when it is cut off after " << length << " bytes");
    }
    require_mended(scene);
}

TEST_CASE("a manifest that is no file is found and not followed, and no call waits at it") {
    for (const std::string what :
         {"missing", "symlink", "directory", "FIFO", "socket", "endless", "other"}) {
        INFO(what);
        const ManifestScene scene;
        const std::string whole = read_file(scene.manifest());
        fs::remove(scene.manifest());
        if (what == "symlink") {
            write_file(scene.dir.path() / "outside", whole);
            fs::create_symlink(scene.dir.path() / "outside", scene.manifest());
        }
        if (what == "directory") fs::create_directory(scene.manifest());
        if (what == "FIFO") REQUIRE(::mkfifo(scene.manifest().c_str(), 0600) == 0);
        if (what == "socket") make_socket(scene.manifest());
        if (what == "endless") {
            write_file(scene.manifest(), "");
            fs::resize_file(scene.manifest(), std::uintmax_t{1} << 40);
        }
        if (what == "other") write_file(scene.manifest(), read_file(scene.entry() / "record"));
        const Lines found = findings_of(scene);
        REQUIRE(found.size() == 1);
        CHECK(found[0].starts_with("malformed manifest: this is no manifest: "));
        CHECK(outcome(scene.bucket.get("k")) == "ok");  // a get does not read it
        CHECK(outcome(materialize(scene.entry() / "tree", scene.dir.path() / "to")) == "damaged");
        require_mended(scene);
    }
}

TEST_CASE("of an entry that has lost many files a hundred are listed, and the others are counted") {
    const Scene scene;
    Staging staging = value(scene.bucket.stage());
    for (int i = 0; i < 250; ++i) write_file(staging.path() / std::to_string(i), "");
    const fs::path tree = value(scene.bucket.publish("k", std::move(staging))).path();
    for (int i = 0; i < 250; ++i) fs::remove(tree / std::to_string(i));
    const auto report = value(scene.cache.verify());
    REQUIRE(report.findings.size() == 101);
    CHECK(report.findings.back().path == tree);
    CHECK(report.findings.back().what ==
          "150 more names below this directory differ from the manifest");
    const auto repaired = value(scene.cache.verify({.repair = true}));
    CHECK(repaired.sound());
    CHECK(repaired.findings.size() == 101);
    for (const Finding& finding : repaired.findings) CHECK(finding.repaired);
}

TEST_CASE("restore writes a new manifest, and refuses an entry that differs from its own") {
    const ManifestScene scene;
    const std::string before = read_file(scene.manifest());
    value(scene.bucket.remove("k"));
    const auto names = [](const std::string& text) { return text.substr(text.find("\nd 0 ")); };
    {
        const Lease lease = value(scene.cache.restore(scene.id));
        const std::string text = read_file(lease.path().parent_path() / "manifest");
        CHECK(names(text).substr(0, names(text).find("end ")) ==
              names(before).substr(0, names(before).find("end ")));
    }
    value(scene.bucket.remove("k"));
    fs::permissions(scene.entry() / "tree/lib/run", fs::perms(0644));
    auto refused = scene.cache.restore(scene.id);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::damaged);
    CHECK(refused.error().message().find("lib/run") != std::string::npos);
    fs::permissions(scene.entry() / "tree/lib/run", fs::perms(0755));
    fs::remove(scene.manifest());
    refused = scene.cache.restore(scene.id);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == Errc::damaged);
    write_file(scene.manifest(), before);
    CHECK(scene.cache.restore(scene.id));
}

TEST_CASE("an entry without a manifest is put nowhere, and verify calls it damaged") {
    const ManifestScene scene;
    const fs::path to = scene.dir.path() / "to";
    CHECK(value(materialize(scene.entry() / "tree", to)).symlinks == 1);
    for (const bool is_modified : {false, true}) {
        INFO(is_modified);
        fs::remove(scene.manifest());
        if (is_modified) write_file(scene.entry() / "tree/METADATA", "54321");
        const auto refused = materialize(scene.entry() / "tree", scene.dir.path() / "other");
        CHECK(outcome(refused) == "damaged");
        CHECK_FALSE(fs::exists(scene.dir.path() / "other"));
        CHECK_FALSE(value(scene.cache.verify()).sound());
    }
    // A power cut, or a copy by a pattern, may cost the entry its record as well.
    fs::remove(scene.entry() / "record");
    for (const fs::path& tree : {scene.entry() / "tree", scene.root / "buckets/b/k"}) {
        INFO(tree);
        if (!fs::is_directory(tree)) continue;  // links are files in this run
        CHECK(outcome(materialize(tree, scene.dir.path() / "other")) == "damaged");
        CHECK_FALSE(fs::exists(scene.dir.path() / "other"));
    }
    // What is no entry of a cache has no manifest, whatever is called `record` beside it.
    ManifestScene::make_tree(scene.dir.path() / "own/tree");
    write_file(scene.dir.path() / "own/record", "a text of the user's");
    CHECK(materialize(scene.dir.path() / "own/tree", scene.dir.path() / "other"));
}
