// SPDX-License-Identifier: MIT
// One bad thing stops nothing else. What a stranger has left, and cannot be cleaned up, keeps no
// process from joining the cache, and no collection from doing all the rest.

#include <linux/fs.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <csignal>

#include "format/layout.hpp"
#include "format/lease_table.hpp"
#include "os/posix/fd.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

Bucket bucket_at(const fs::path& root) { return value(open_cache(root).bucket("b")); }

/// Runs a process that stages a tree and ends by SIGKILL. Before that it calls `spoil` with the
/// directory above the tree.
void die_staging(const fs::path& root, const std::function<void(const fs::path&)>& spoil,
                 bool as_nobody = false) {
    Child dead([&](Child& self) {
        if (as_nobody) become_nobody();
        const Cache cache = open_cache(root);
        const Staging staging = value(value(cache.bucket("b")).stage());
        fill(staging.path(), "half");
        spoil(staging.path().parent_path());
        self.say("spoiled");
        self.hear();
    });
    dead.wait_for("spoiled");
    dead.kill();
}

/// Makes ten entries garbage. Returns their directories.
std::vector<fs::path> retire_ten(const Bucket& bucket, const fs::path& root) {
    std::vector<fs::path> entries;
    for (int i = 0; i < 10; ++i) {
        const std::string key = "k" + std::to_string(i);
        entries.push_back(root / "archive" / put(bucket, key, "old").id());
        value(bucket.remove(key));
    }
    return entries;
}

/// Collects, and returns what was done in spite of the failure that it must return.
CollectReport collect_in_part(const Cache& cache, const Limits& limits = {}) {
    CollectOptions options;
    std::optional<CollectReport> partial;
    options.on_partial = [&](const CollectReport& done) { partial = done; };
    const auto collected = cache.collect(limits, options);
    REQUIRE_FALSE(collected);
    REQUIRE(partial);
    REQUIRE_FALSE(partial->failures.empty());
    CHECK(partial->failures.front().message() == collected.error().message());
    return *partial;
}

bool names(const CollectReport& report, const fs::path& path) {
    return std::any_of(report.failures.begin(), report.failures.end(), [&](const Error& error) {
        return contains(error.message(), path.string());
    });
}

/// Sets or clears the attribute that `chattr +i` sets. Returns false if that is impossible here.
bool set_immutable(const fs::path& path, bool immutable) {
    const os::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    int flags = 0;
    if (!file || ::ioctl(file.get(), FS_IOC_GETFLAGS, &flags) != 0) return false;
    flags = immutable ? flags | FS_IMMUTABLE_FL : flags & ~FS_IMMUTABLE_FL;
    return ::ioctl(file.get(), FS_IOC_SETFLAGS, &flags) == 0;
}

std::size_t left_in_staging(const fs::path& root) {
    std::size_t count = 0;
    for (const auto& area : fs::directory_iterator(root / "staging"))
        count += count_entries(area.path());
    return count;
}

void write_wrong_bytes(const fs::path& table) {
    const os::Fd file(::open(table.c_str(), O_WRONLY | O_CLOEXEC));
    REQUIRE(::pwrite(file.get(), "\1\2\3\4\5\6\7\10", 8, 0) == 8);
}

bool repaired(const VerifyReport& report, const fs::path& path) {
    return std::any_of(report.findings.begin(), report.findings.end(), [&](const Finding& finding) {
        return finding.path == path && finding.kind == Finding::Kind::participant &&
               finding.repaired;
    });
}

}  // namespace

// ---- joining ----

TEST_CASE("a dead builder that made its staging area read-only keeps no user from joining") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms::all);
    const fs::path root = dir.path() / "cache";
    // `build b k -- sh -c 'chmod -R a-w "$LARDER_STAGE/.."; exit 1'`
    die_staging(
        root,
        [](const fs::path& stage) {
            const std::string command = "chmod -R a-w '" + stage.string() + "'";
            Child::must(std::system(command.c_str()) == 0, command);
        },
        true);
    REQUIRE(left_in_staging(root) == 1);
    in_child([&](Child&) {
        become_nobody();
        const Bucket bucket = bucket_at(root);
        put(bucket, "k", "new");
        Child::must(content_of(bucket, "k") == "new", "another content");
    });
    in_child([&](Child&) {
        become_nobody();
        Child::must(open_cache(root).collect());
    });
    CHECK(left_in_staging(root) == 0);
    CHECK(count_entries(root / "deleting") == 0);
}

TEST_CASE("a mount on what a dead process has staged keeps no process from joining or collecting") {
    SKIP_UNLESS(is_root_user(), "root, to mount");
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    fs::path stage;
    die_staging(root, [](const fs::path&) {});
    for (const auto& entry : fs::directory_iterator(root / "archive")) stage = entry.path();
    {
        const Mount mount("none", stage, "tmpfs");
        SKIP_UNLESS(mount, "the right to mount");
        die_staging(root, [](const fs::path&) {});  // it joins too, and leaves a table of its own
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "old");
        value(bucket.remove("k"));
        const auto report = collect_in_part(cache);
        CHECK(names(report, stage));
        CHECK(report.reaped <= 1);   // this process may have adopted the other table
        CHECK(report.entries == 2);  // what was removed, and what was staged without a mount
        put(bucket, "k", "new");
        CHECK(content_of(bucket, "k") == "new");
        CHECK(count_entries(root / "retired" / "links") == 1);
    }
    CHECK(value(open_cache(root).collect()).entries == 1);
    require_no_leak(root, 1);
}

TEST_CASE("one EIO while a dead process is reaped keeps no process from joining") {
    // At the link of the staged entry, or at the link that an exchange has left.
    for (const char* const died_at : {"publish.leased", "publish.placed"}) {
        INFO("died at " << died_at);
        const char* const point = "os.noreplace";
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        {
            in_child([&](Child&) { put(bucket_at(root), "k", "older"); });
            Child dead([&](Child&) { put(bucket_at(root), "k", "old"); }, {{}, {died_at}});
            CHECK(dead.join() != 0);
        }
        REQUIRE(left_in_staging(root) == 1);
        const Bucket bucket = bucket_at(root);
        int met = 0;
        {
            const AtPoints hook(
                [&](const std::string& name) { return name == point && ++met == 1 ? EIO : 0; });
            put(bucket, "k", "new");
        }
        CHECK(met >= 1);
        CHECK(content_of(bucket, "k") == "new");
        (void)value(open_cache(root).collect());
        require_no_leak(root, 1);
    }
}

TEST_CASE("a staging area that a table's loss has left, and that is a file, is passed over") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Bucket bucket = bucket_at(root);
    write_file(root / "staging" / "0", "a file");
    put(bucket, "k", "new");
    CHECK(content_of(bucket, "k") == "new");
    CHECK(read_file(root / "staging" / "0") == "a file");
}

// ---- collecting ----

TEST_CASE("of ten retired entries one is immutable: nine are deleted, and it is named") {
    const TempDir dir;
    const LoopDisk disk = LoopDisk::ext4(dir.path(), "");
    SKIP_UNLESS(disk, "a loop device");
    const fs::path root = disk.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const auto entries = retire_ten(bucket, root);
    REQUIRE(set_immutable(entries[3], true));
    for (int round = 0; round < 2; ++round) {
        const auto report = collect_in_part(cache);
        CHECK(report.entries == (round == 0 ? 9 : 0));
        CHECK(names(report, entries[3]));
        CHECK(count_entries(root / "archive") == 1);
        CHECK(count_entries(root / "deleting") == 0);
    }
    REQUIRE(set_immutable(entries[3], false));
    CHECK(value(cache.collect()).entries == 1);
    require_no_leak(root, 0);
}

TEST_CASE("of ten retired entries one is a mount point: nine are deleted, and it is named") {
    SKIP_UNLESS(is_root_user(), "root, to mount");
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const auto entries = retire_ten(value(cache.bucket("b")), root);
    {
        const Mount mount("none", entries[5], "tmpfs");
        SKIP_UNLESS(mount, "the right to mount");
        const auto report = collect_in_part(cache);
        CHECK(report.entries == 9);
        CHECK(names(report, entries[5]));
        CHECK(contains(report.failures.front().message(), "unmount"));
        CHECK(count_entries(root / "archive") == 1);
    }
    CHECK(value(cache.collect()).entries == 1);
    require_no_leak(root, 0);
}

TEST_CASE("of ten retired entries one has a record that can't be read: nine are deleted") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms::all);
    const fs::path root = dir.path() / "cache";
    // The record belongs to root. So the user, who owns the entry, can't get the right to read it.
    Child user([&](Child& self) {
        become_nobody();
        const Cache cache = open_cache(root);
        const Bucket bucket = Child::must(cache.bucket("b"));
        const auto entries = retire_ten(bucket, root);
        self.say((entries[7] / "record").string());
        self.hear();
        const auto report = collect_in_part(cache);
        Child::must(report.entries == 9, "not nine");
        Child::must(names(report, entries[7]), "it is not named");
        Child::must(count_entries(root / "archive") == 1, "the archive holds another number");
        const auto trash = cache.trash();
        Child::must(!trash && trash.error().path == entries[7] / "record", "it is not named");
        self.say("collected");
        self.hear();
        Child::must(Child::must(cache.collect()).entries == 1, "it stays");
    });
    const fs::path record = user.listen();
    REQUIRE(::chown(record.c_str(), 0, 0) == 0);
    fs::permissions(record, fs::perms::none);
    user.go_on();
    user.wait_for("collected");
    fs::permissions(record, fs::perms::others_read);
    user.go_on();
    CHECK(user.join() == 0);
    CHECK(count_entries(root / "archive") == 0);
}

TEST_CASE("a refreshed bucket that can't be listed stops no collection") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms::all);
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        const Bucket bad = Child::must(cache.bucket("bad"));
        const Bucket good = Child::must(cache.bucket("good"));
        put(bad, "k", "old");
        Child::must(bad.refresh());
        const fs::path refreshed =
            keys_of(fs::directory_iterator(root / "retired" / "buckets")->path());
        fs::permissions(refreshed, fs::perms::none);
        put(good, "k", "old");
        Child::must(good.refresh());
        const auto report = collect_in_part(cache);
        Child::must(report.entries == 1 && report.buckets == 1, "the good one stays");
        Child::must(names(report, refreshed), "it is not named");
        fs::permissions(refreshed, fs::perms::owner_all);
        Child::must(Child::must(cache.collect()).entries == 1, "it stays");
    });
}

TEST_CASE("a bucket that can't be listed stops no eviction from the others") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms::all);
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        put(Child::must(cache.bucket("bad")), "k", "x");
        put(Child::must(cache.bucket("good")), "k", "x");
        const fs::path keys = keys_of(root / "buckets" / "bad");
        fs::permissions(keys, fs::perms::none);
        Limits limits;
        limits.max_entries = 0;
        const auto report = collect_in_part(cache, limits);
        Child::must(report.evicted == 1 && report.entries == 1, "the good one stays");
        Child::must(names(report, keys), "it is not named");
        fs::permissions(keys, fs::perms::owner_all);
    });
}

// ---- lease tables ----

TEST_CASE("eight wrong bytes in the table of a dead process: all else is done, repair frees it") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    die_staging(root, [](const fs::path&) {});
    const fs::path table = root / "participants" / "0";
    write_wrong_bytes(table);
    die_staging(root, [](const fs::path&) {});
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const std::string id = put(bucket, "k", "old").id();
    value(bucket.remove("k"));
    write_file(root / "deleting" / "left", "by a killed collection");

    const auto report = collect_in_part(cache);
    CHECK(report.failures.front().code == Errc::damaged);
    CHECK(contains(report.failures.front().message(), "verify --repair"));
    CHECK(names(report, table));
    CHECK(report.entries == 0);
    CHECK(stands(root / "archive" / id));  // the table may lease it
    CHECK(count_entries(root / "deleting") == 0);

    const auto status = value(cache.status());
    REQUIRE(status.unreadable.size() == 1);
    CHECK(status.unreadable.front().path == table);
    CHECK_FALSE(status.processes.empty());  // the others are named

    CHECK_FALSE(value(cache.verify()).sound());
    const auto verified = value(cache.verify({.repair = true}));
    CHECK(repaired(verified, table));
    CHECK(verified.sound());
    CHECK(value(cache.collect()).entries == 3);  // two of which were only staged
    CHECK(left_in_staging(root) == 0);
    require_no_leak(root, 0);
}

TEST_CASE("eight wrong bytes in the table of a living process: repair leaves it, and says why") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    Child living([&](Child& self) {
        const Lease lease = put(bucket_at(root), "k", "used");
        self.say("leased");
        self.hear();
        Child::must(content_of(lease) == "used", "another content");
    });
    living.wait_for("leased");
    const fs::path table = root / "participants" / "0";
    write_wrong_bytes(table);
    value(value(cache.bucket("b")).remove("k"));
    const auto verified = value(cache.verify({.repair = true}));
    CHECK_FALSE(repaired(verified, table));
    CHECK_FALSE(verified.sound());
    REQUIRE(verified.findings.size() == 1);
    CHECK(contains(verified.findings.front().what, "still run"));
    (void)collect_in_part(cache);
    living.go_on();
    CHECK(living.join() == 0);
    CHECK(value(cache.verify({.repair = true})).sound());
    CHECK(value(cache.collect()).entries == 1);
    require_no_leak(root, 0);
}

TEST_CASE("what stands in the place of a lease table and is no file is moved away by repair") {
    for (const std::string what : {"directory", "symlink"}) {
        INFO(what);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        const Cache cache = open_cache(root);
        put(value(cache.bucket("b")), "k", "x");
        const fs::path outside = dir.path() / "outside", table = root / "participants" / "1";
        write_file(outside, "precious");
        if (what == "directory") fs::create_directory(table);
        if (what == "symlink") fs::create_symlink(outside, table);
        CHECK(repaired(value(cache.verify({.repair = true})), table));
        (void)value(cache.collect());
        CHECK(fs::is_regular_file(fs::symlink_status(table)));
        CHECK(read_file(outside) == "precious");
        require_no_leak(root, 1);
    }
}

// ---- entries without a record ----

TEST_CASE("an entry whose record is lost is evicted like any other, and the reason is true") {
    for (const bool by_size : {false, true}) {
        for (const bool dry_run : {true, false}) {
            const TempDir dir;
            const fs::path root = dir.path() / "cache";
            const Cache cache = open_cache(root);
            const Bucket bucket = value(cache.bucket("b"));
            const std::string id = put(bucket, "k", "text").id();
            const std::string long_key(300, 'x');
            const std::string long_id = put(bucket, long_key, "text").id();
            fs::remove(root / "archive" / id / "record");
            fs::remove(root / "archive" / long_id / "record");
            Limits limits;
            if (by_size) limits.max_size = 1;
            if (!by_size) limits.max_entries = 0;
            std::vector<Eviction> evictions;
            CollectOptions options;
            options.dry_run = dry_run;
            options.on_evict = [&](const Eviction& one) { evictions.push_back(one); };
            const auto report = value(cache.collect(limits, options));
            CHECK(report.evicted == 2);
            CHECK(report.used_since == 0);
            CHECK(report.within_limits);
            REQUIRE(evictions.size() == 2);
            CHECK(std::any_of(evictions.begin(), evictions.end(), [&](const Eviction& one) {
                return one.bucket == "b" && one.key == "k" && one.id == id &&
                       (one.bytes == 12 || !by_size);
            }));
            CHECK(count_entries(root / "archive") == (dry_run ? 2 : 0));
        }
    }
}

TEST_CASE("a pinned entry whose record is lost is not evicted") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const std::string id = put(bucket, "k", "text").id();
    value(bucket.pin("k"));
    fs::remove(root / "archive" / id / "record");
    Limits limits;
    limits.max_entries = 0;
    CHECK(value(cache.collect(limits)).evicted == 0);
    CHECK(content_of(bucket, "k") == "text");
}

// ---- what took its owner's rights, or stands in the place of something else ----

TEST_CASE("an entry that its owner may not read is collected, and its size is not known") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        const auto entry = [&](const std::string& key) {
            return put(bucket, key, "text").path().parent_path();
        };
        const fs::path record = entry("record"), whole = entry("whole");
        {
            auto staging = value(bucket.stage());
            fill(staging.path(), "text");
            fs::permissions(staging.path().parent_path(), fs::perms(0));
            Child::must(!bucket.publish("staged", std::move(staging)), "published");
        }
        fs::permissions(record / "record", fs::perms(0));
        fs::permissions(whole, fs::perms(0));
        value(bucket.remove("record"));
        value(bucket.remove("whole"));
        CollectOptions dry;
        dry.dry_run = true;
        Child::must(value(cache.collect({}, dry)).entries == 3, "a dry run finds others");
        Child::must((fs::status(whole).permissions() & fs::perms(0777)) == fs::perms(0),
                    "a dry run has changed something");
        const auto report = value(cache.collect());
        Child::must(report.entries == 3 && report.failures.empty(), "not all were deleted");
    });
    in_child([&](Child&) {
        become_nobody();
        require_no_leak(root, 0);
    });
}

TEST_CASE("a lease table to which its owner may not write is reaped, and adopted") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        Child staging([&](Child&) { put(bucket_at(root), "k", "text"); }, {{}, {"publish.leased"}});
        Child::must(staging.join() == 128 + SIGKILL, "it was not killed");
        fs::permissions(root / "participants" / "0", fs::perms(0400));
        const auto report = value(open_cache(root).collect());
        Child::must(report.reaped == 1 && report.entries == 1, "it was not reaped");
    });
    in_child([&](Child&) {
        become_nobody();
        require_no_leak(root, 0);
    });
}

TEST_CASE("a repair gives the owner of a live entry the right to read it") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        const fs::path entry = put(bucket, "k", "text").path().parent_path();
        for (const char* const part : {".", "record", "manifest"}) {
            fs::permissions(entry / part, fs::perms(0));
            const auto before = value(cache.verify());
            Child::must(
                !before.sound() && before.findings.front().kind == Finding::Kind::unreadable,
                std::string("not found: ") + part);
            const auto repaired = value(cache.verify({true}));
            Child::must(repaired.sound() && !repaired.findings.empty(),
                        std::string("not repaired: ") + part);
            Child::must(value(cache.verify()).findings.empty(), "still found");
            Child::must(content_of(bucket, "k") == "text", "no entry");
        }
    });
}

TEST_CASE("what stands in the place of a directory is found, and a repair moves it away") {
    const std::string boot = "boots/" + os::to_text(os::boot_id());
    for (const std::string& place :
         std::vector<std::string>{"staging/0", "boots", boot, "pins", "pins/b"}) {
        INFO(place);
        const TempDir dir;
        const fs::path root = dir.path() / "cache", at = root / place;
        in_child([&](Child&) { put(bucket_at(root), "other", "text"); });
        fs::remove_all(at);
        fs::create_directories(at.parent_path());
        if (place.starts_with("boots/")) {
            fs::create_directories(at / "mine");
        } else {
            write_file(at, "a file");
        }
        in_child([&](Child&) {
            const auto collected = open_cache(root).collect();
            if (!collected)
                Child::must(contains(collected.error().message(), "cachetool verify --repair"),
                            collected.error().message());
            const auto report = value(open_cache(root).verify());
            Child::must(!report.sound(), "sound");
            Child::must(std::count_if(report.findings.begin(), report.findings.end(),
                                      [&](const Finding& each) {
                                          return each.path == at &&
                                                 each.kind == Finding::Kind::blocked;
                                      }) == 1,
                        "not found");
            const auto repaired = value(open_cache(root).verify({true}));
            Child::must(repaired.sound(), "not repaired");
            const Bucket bucket = bucket_at(root);
            put(bucket, "k", "new");
            value(bucket.pin("k"));
            value(bucket.unpin("k"));
            (void)value(open_cache(root).collect());
            Child::must(value(open_cache(root).verify()).findings.empty(), "something is left");
        });
    }
}

TEST_CASE("what was staged is reaped in the next boot although its lease table was deleted") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { (void)open_cache(root); });
    {
        std::vector<std::unique_ptr<Child>> stagers;
        for (int count = 0; count < 3; ++count) {
            stagers.push_back(std::make_unique<Child>([&](Child& self) {
                const Staging staging = value(bucket_at(root).stage());
                fill(staging.path(), "text");
                self.say("staged");
                self.hear();
            }));
            stagers.back()->wait_for("staged");
        }
        for (const auto& stager : stagers) stager->kill();
    }
    REQUIRE(count_entries(root / "staging") == 3);
    fs::remove_all(root / "participants");
    CollectOptions dry;
    dry.dry_run = true;
    in_child([&](Child&) {
        const AtPoints next_boot(
            [](const std::string& point) { return point == "os.other-boot" ? 1 : 0; });
        Child::must(value(open_cache(root).collect({}, dry)).entries == 3,
                    "a dry run finds others");
        Child::must(value(open_cache(root).collect()).entries == 3, "not all were deleted");
    });
    require_no_leak(root, 0);
}

TEST_CASE("what a living process stages is kept although its lease table was deleted") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { (void)open_cache(root); });
    Child builder([&](Child& self) {
        const Bucket bucket = bucket_at(root);
        Staging staging = value(bucket.stage());
        fill(staging.path(), "text");
        self.say("staged");
        self.hear();
        Child::must(read_file(staging.path() / "f0") == "text", "the tree is gone");
        const auto published = bucket.publish("k", std::move(staging));
        Child::must(!published || content_of(*published) == "text", "another entry");
        Child::must(published.has_value() || published.error().code == Errc::refused ||
                        published.error().code == Errc::busy,
                    published ? "" : published.error().message());
    });
    builder.wait_for("staged");
    fs::remove(root / "participants" / "0");
    CollectOptions dry;
    dry.dry_run = true;
    in_child([&](Child&) {
        Child::must(value(open_cache(root).collect({}, dry)).entries == 0, "a dry run finds it");
        Child::must(value(open_cache(root).collect()).entries == 0, "a collection took it");
        // A process that joins makes the table of another number.
        put(bucket_at(root), "other", "text");
        Child::must(value(open_cache(root).collect()).entries == 0, "a collection took it then");
    });
    CHECK(count_entries(root / "archive") == 2);
    builder.go_on();
    CHECK(builder.join() == 0);
}

// ---- what another user has closed ----

namespace {

/// Makes a cache of the user nobody with two entries, of which one is garbage. Requires: this
/// process runs as root.
void make_cache_of_nobody(const fs::path& root, BucketKind kind = BucketKind::directory) {
    in_child([&](Child&) {
        become_nobody();
        OpenOptions options = test_options();
        options.bucket_kind = kind;
        const Cache cache = value(Cache::open(root, options));
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "text");
        put(bucket, "garbage", "text");
        value(bucket.remove("garbage"));
    });
}

/// Gives a part of a cache to root, and closes it to all others.
void close_to_others(const fs::path& part) {
    REQUIRE(::lchown(part.c_str(), 0, 0) == 0);
    fs::permissions(part, fs::perms::group_all | fs::perms::others_all, fs::perm_options::remove);
}

/// Returns whether a text names the owner of a path and says what to do.
bool names_root(const std::string& text, const fs::path& path) {
    return contains(text, path.string()) && contains(text, "belongs to user root (0)") &&
           contains(text, "`chown`");
}

/// Returns what an error says; "ok" if there is none.
template <class T>
std::string said(const Result<T>& result) {
    return result ? "ok" : result.error().message();
}

}  // namespace

TEST_CASE("one lease table that can't be opened hides no entry, and no use in another table") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    for (const char* const key : {"k", "l"}) {
        put(bucket, key, "text");
        const timespec old[] = {{1'000'000'000, 0}, {1'000'000'000, 0}};
        REQUIRE(::utimensat(AT_FDCWD, (keys_of(root / "buckets" / "b") / key).c_str(), old,
                            AT_SYMLINK_NOFOLLOW) == 0);
    }
    value(bucket.get("k"));  // its use stands in this process's table alone
    // No open of a table follows a symlink. It has the lowest free number, so it is read last.
    fs::create_symlink("nowhere", root / "participants" / "1");
    const auto long_ago = std::chrono::system_clock::now() - std::chrono::hours(24);
    CHECK(*value(bucket.info("k")).last_used > long_ago);
    CHECK(*value(bucket.info("l")).last_used < long_ago);
    int seen = 0;
    value(cache.visit_entries({"b"}, [&](const VisitedEntry& entry) {
        ++seen;
        REQUIRE(entry.info);
        CHECK((*entry.info->last_used > long_ago) == (entry.key == "k"));
        return true;
    }));
    CHECK(seen == 2);
    // The loss is not hidden.
    CHECK(value(cache.status()).unreadable.size() == 1);
    // No entry is evicted as long as a ring can't be read.
    const auto collected = cache.collect({.max_entries = 0});
    REQUIRE_FALSE(collected);
    CHECK(collected.error().code == Errc::damaged);
    CHECK(content_of(bucket, "l") == "text");
}

TEST_CASE("a lease table of another user: its owner is named, and what it keeps is said") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache", table = root / "participants" / "0";
    make_cache_of_nobody(root);
    close_to_others(table);
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        const std::string closed = said(cache.collect());
        Child::must(names_root(closed, table) && contains(closed, "no entry is deleted"), closed);
        Child::must(!contains(closed, "no lease table"), closed);
        const auto verified = value(cache.verify({.repair = true}));
        Child::must(names_root(verified.findings.front().what, table), "verify");
    });
    // Its leases can be read now, so garbage is deleted. But it can't be cleaned up.
    fs::permissions(table, fs::perms(0644));
    const fs::path left = root / "staging" / "0" / "left";
    write_file(left, "by a dead process");
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        CollectOptions options;
        std::uint64_t deleted = 0;
        options.on_partial = [&](const CollectReport& done) { deleted = done.entries; };
        const auto collected = cache.collect({}, options);
        const std::string text = said(collected);
        Child::must(names_root(text, table) && !contains(text, "no entry is deleted"), text);
        Child::must(!collected && collected.error().code == Errc::system, text);
        Child::must(deleted == 1, "garbage stays");
    });
    // If its process has left nothing, there is nothing to clean up, and nothing to say.
    fs::remove(left);
    in_child([&](Child&) {
        become_nobody();
        Child::must(open_cache(root).collect());
    });
}

TEST_CASE("a part of a cache that another user has closed: its owner is named, nothing is lost") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    for (const std::string part :
         {"format", "locks", "participants", "participants/0", "staging/0", "buckets", "buckets/b",
          "archive", "archive/*", "deleting", "retired", "retired/links", "boots"}) {
        INFO(part);
        const TempDir dir;
        fs::permissions(dir.path(), fs::perms(0777));
        const fs::path root = dir.path() / "cache";
        make_cache_of_nobody(root);
        fs::path closed = root / part;
        if (part == "archive/*") closed = *fs::directory_iterator(root / "archive");
        if (part == "boots") fs::create_directory(closed);
        close_to_others(closed);
        const auto before = count_entries(root / "archive");
        in_child([&](Child&) {
            become_nobody();
            const std::string planned = said(Cache::check_destroy(root));
            Child::must(names_root(planned, closed), "planned: " + planned);
            Child::must(said(Cache::destroy(root)) == planned, "not as planned");
            if (part == "buckets/b") {
                const std::string got = said(bucket_at(root).get("k"));
                Child::must(names_root(got, closed), "got: " + got);
            }
            if (part == "buckets" || part == "archive" || part == "participants") {
                const std::string opened = said(Cache::open(root, test_options()));
                Child::must(names_root(opened, closed), "opened: " + opened);
            }
        });
        CHECK(count_entries(root / "archive") == before);
        CHECK(fs::exists(root / "format"));
    }
}

TEST_CASE("an entry directory that its owner may not read is unreadable, and not changed") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        const fs::path tree = put(value(cache.bucket("b")), "k", "text").path();
        const fs::path entry = tree.parent_path();
        for (const auto rights : {fs::perms(0), fs::perms(0400)}) {
            fs::permissions(entry, rights);
            for (const Finding& finding : value(cache.verify()).findings)
                Child::must(finding.kind == Finding::Kind::unreadable, finding.what);
            for (const Finding& finding : value(cache.verify_content()).findings)
                Child::must(finding.kind == Finding::Kind::unreadable, finding.what);
            fs::permissions(entry, fs::perms(0700));
        }
        fs::permissions(tree, fs::perms(0));
        const auto found = value(cache.verify()).findings;
        Child::must(found.size() == 1 && found.front().kind == Finding::Kind::changed, "the tree");
        fs::permissions(tree, fs::perms(0700));
    });
}

TEST_CASE("a generation that its owner may not read: chmod is named, and its path") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    make_cache_of_nobody(root, BucketKind::pointer);
    const fs::path generation = *fs::directory_iterator(root / "generations");
    in_child([&](Child&) {
        become_nobody();
        fs::permissions(generation, fs::perms(0));
        const Bucket bucket = bucket_at(root);
        for (const std::string& text : {said(bucket.get("k")), said(bucket.info("k"))}) {
            Child::must(contains(text, generation.string() + " denies a right to its owner"), text);
            Child::must(contains(text, "`chmod u+rwX`"), text);
        }
    });
}

TEST_CASE("a directory that its owner may not read is not moved, and the message says why once") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    in_child([&](Child&) {
        become_nobody();
        const fs::path closed = dir.path() / "closed";
        fs::create_directory(closed);
        fs::permissions(closed, fs::perms(0));
        Staging staging = value(bucket_at(dir.path() / "cache").stage());
        const std::string text = said(staging.move_from(closed));
        const std::string start = "look for a cache at " + closed.string() +
                                  ": a cache may be there, whose files must stay; it denies a "
                                  "right to its owner; `chmod u+rwX` gives it back (";
        Child::must(text.starts_with(start), text);
    });
}

TEST_CASE("a collection says once that the file of this boot can't be written") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { (void)open_cache(root); });
    // The collection writes it for its own sake, and then to settle the cache.
    fs::create_directories(root / "boots" / os::to_text(os::boot_id()) / "sub");
    in_child([&](Child&) {
        std::size_t failures = 0;
        CollectOptions options{.settle = true};
        options.on_partial = [&](const CollectReport& done) { failures = done.failures.size(); };
        const auto collected = open_cache(root).collect({}, options);
        Child::must(!collected, "collected");
        Child::must(contains(collected.error().message(), "verify --repair` takes it away"),
                    collected.error().message());
        Child::must(failures == 1, std::to_string(failures) + " failures");
    });
}

TEST_CASE("a socket in the place of the file of this boot is replaced by a collection") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { (void)value(open_cache(root).collect()); });
    const fs::path at = root / "boots" / os::to_text(os::boot_id());
    fs::remove(at);
    make_socket(at);
    in_child([&](Child&) { (void)value(open_cache(root).collect({}, {.settle = true})); });
    CHECK(fs::is_regular_file(at));
}
