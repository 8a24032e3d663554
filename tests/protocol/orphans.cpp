// SPDX-License-Identifier: MIT
// Entries that no link names, as a power cut leaves them, or a program that outlives its builder:
// the first collection of a boot finds them.

#include <unistd.h>

#include <cerrno>

#include "catch.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Runs `body` in a process of the boot with this number; 0 is the machine's own.
void in_boot(int boot, const std::function<void()>& body, const Errors& errors = {}) {
    Child child([&](Child& self) {
        Errors all = errors;
        if (boot != 0) all["os.other-boot"] = boot;
        fail_at(self, all);
        body();
    });
    REQUIRE(child.join() == 0);
}

/// Makes an orphan: an entry whose link has gone.
std::string make_orphan(const Scene& scene, const std::string& key = "orphan") {
    std::string id = put(scene.bucket, key, "lost").id();
    fs::remove(keys_of(scene.root / "buckets" / "b") / key);
    return id;
}

bool stands(const Scene& scene, const std::string& id) {
    return fs::exists(scene.root / "archive" / id);
}

std::size_t settled_boots(const fs::path& root) {
    return fs::exists(root / "boots") ? count_entries(root / "boots") : 0;
}

}  // namespace

TEST_CASE("the first collection of a boot finds what an earlier boot has left without a name") {
    const Scene scene;
    put(scene.bucket, "live", "live");
    const std::string id = make_orphan(scene);
    // A program that has outlived its builder made this one.
    const std::string made_again = fresh_name();
    fs::create_directories(scene.root / "archive" / made_again / "tree");
    (void)value(scene.cache.collect());
    CHECK(stands(scene, id));
    CHECK(settled_boots(scene.root) == 1);
    in_boot(1, [&] {
        const Cache cache = open_cache(scene.root);
        Child::must(value(cache.collect({}, {.dry_run = true})).entries == 2, "the dry run");
        const auto report = value(cache.collect());
        Child::must(report.entries == 2, "it collected " + std::to_string(report.entries));
    });
    CHECK_FALSE(stands(scene, id));
    CHECK_FALSE(stands(scene, made_again));
    CHECK(settled_boots(scene.root) == 2);
    CHECK(content_of(scene.bucket, "live") == "live");
    require_no_leak(scene.root, 1);
}

TEST_CASE("an archive is listed once in a boot, and never the entries of the boot itself") {
    const Scene scene;
    in_boot(1, [&] { (void)value(open_cache(scene.root).collect()); });
    const std::string id = make_orphan(scene);
    in_boot(1, [&] {
        Child::must(value(open_cache(scene.root).collect()).entries == 0, "it was listed again");
    });
    CHECK(stands(scene, id));
    (void)value(scene.cache.collect());
    CHECK(stands(scene, id));
    in_boot(2, [&] {
        Child::must(value(open_cache(scene.root).collect()).entries == 1, "it was not listed");
    });
    require_no_leak(scene.root, 0);
}

TEST_CASE("an orphan that is found is garbage like any other: leased, within a grace, restored") {
    const Scene scene;
    const Lease lease = put(scene.bucket, "leased", "leased");
    fs::remove(keys_of(scene.root / "buckets" / "b") / "leased");
    const std::string id = make_orphan(scene);
    in_boot(1, [&] {
        const Cache cache = open_cache(scene.root);
        const CollectOptions graced{.grace = std::chrono::hours(1)};
        Child::must(value(cache.collect({}, graced)).in_grace == 2, "the grace");
        (void)value(cache.restore(id));
        // This participant is of another boot than the machine's, so it counts for nothing here.
    });
    CHECK(content_of(scene.bucket, "orphan") == "lost");
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    CHECK(content_of(lease) == "leased");
}

TEST_CASE("every kind of name keeps an entry of an earlier boot from being called an orphan") {
    const Scene scene;
    std::vector<std::string> named;
    named.push_back(put(scene.bucket, "live", "x").id());
    const Staging staged = value(scene.bucket.stage());
    named.push_back(staged.path().parent_path().filename().string());
    for (const char* kind : {"o-", "k-"}) {
        named.push_back(make_orphan(scene));
        plant_link(scene.cache, scene.root / "staging" / "0", kind + fresh_name(), named.back());
    }
    named.push_back(put(scene.bucket, "removed", "x").id());
    value(scene.bucket.remove("removed"));
    const Bucket other = value(scene.cache.bucket("other"));
    named.push_back(put(other, "k", "x").id());
    value(other.refresh());
    for (int part_size : {0, 1}) {
        Child collector([&](Child& self) {
            fail_at(self, {{"os.other-boot", 1 + part_size}, {"verify.part-size", part_size}});
            const auto report =
                value(open_cache(scene.root)
                          .collect({}, {.dry_run = true, .grace = std::chrono::hours(1)}));
            Child::must(report.in_grace == 2, std::to_string(report.in_grace) + " in grace");
        });
        CHECK(collector.join() == 0);
    }
    for (const auto& id : named) CHECK(stands(scene, id));
}

TEST_CASE(
    "if a directory can't be listed no orphan is named, and the next collection looks again") {
    const Scene scene;
    put(scene.bucket, "live", "x");
    const std::string id = make_orphan(scene);
    const fs::path closed = scene.root / "buckets" / "closed";
    fs::create_directory(closed);
    // The superuser may list any directory, so another user collects.
    if (::geteuid() == 0) {
        fs::permissions(scene.dir.path(), fs::perms::all);
        REQUIRE(::lchown(scene.root.c_str(), 65534, 65534) == 0);
        for (const auto& each : fs::recursive_directory_iterator(scene.root))
            REQUIRE(::lchown(each.path().c_str(), 65534, 65534) == 0);
    }
    fs::permissions(closed, fs::perms::none);
    const auto become_nobody = [] {
        Child::must(::geteuid() != 0 || ::setresuid(65534, 65534, 65534) == 0, "setresuid");
    };
    in_boot(1, [&] {
        become_nobody();
        const auto collected = open_cache(scene.root).collect();
        Child::must(why_of(collected) == Why::denied, "the directory was listed");
    });
    CHECK(stands(scene, id));
    CHECK(settled_boots(scene.root) == 0);
    CHECK(count_entries(scene.root / "retired" / "links") == 0);
    fs::remove(closed);
    in_boot(1, [&] {
        become_nobody();
        Child::must(value(open_cache(scene.root).collect()).entries == 1, "it was not listed");
    });
    CHECK(settled_boots(scene.root) == 1);
}

TEST_CASE("a collection that is stopped while it looks for orphans has settled nothing") {
    const Scene scene;
    put(scene.bucket, "live", "x");
    const std::string id = make_orphan(scene);
    Child stopped([&](Child&) {
        std::stop_source stop;
        os::set_point_hook([&](const std::string& point) {
            if (point == "boot.listed") stop.request_stop();
            return point == "os.other-boot" ? 1 : 0;
        });
        const auto report = open_cache(scene.root).collect({}, {.stop = stop.get_token()});
        Child::must(report && report->stopped, "it was not stopped");
    });
    CHECK(stopped.join() == 0);
    CHECK(stands(scene, id));
    CHECK(settled_boots(scene.root) == 0);
    in_boot(1, [&] {
        Child::must(value(open_cache(scene.root).collect()).entries == 1, "it was not listed");
    });
    require_no_leak(scene.root, 1);
}

TEST_CASE("a file of a boot that was cut off says nothing") {
    const Scene scene;
    (void)value(scene.cache.collect());
    REQUIRE(settled_boots(scene.root) == 1);
    const fs::path file = fs::directory_iterator(scene.root / "boots")->path();
    const std::string text = read_file(file);
    CHECK(text == "larder boot 1\nsettled\n");
    write_file(file, text.substr(0, text.size() - 1));
    (void)value(scene.cache.collect());
    CHECK(read_file(file) == text);
    write_file(scene.root / "boots" / "foreign", "mine");
    const auto findings = value(scene.cache.verify()).findings;
    REQUIRE(findings.size() == 1);
    CHECK(findings[0].path == scene.root / "boots" / "foreign");
}
