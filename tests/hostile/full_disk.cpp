// SPDX-License-Identifier: MIT
// Disks that are full, or become full in the middle of a put: an error that says so, nothing lost,
// nothing leaked. The calls that make room must work there, in every process.

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "os/posix/fd.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// What the disk lacks.
enum class Lack { blocks, inodes };

void write_until_full(int fd) {
    const std::string chunk(64 * 1024, 'x');
    for (std::size_t size = chunk.size(); size >= 512; size /= 2) {
        while (::write(fd, chunk.data(), size) > 0) {
        }
    }
}

/// A small file system, and what fills it.
class Disk {
public:
    explicit Disk(const fs::path& at) : at_(at) {}

    [[nodiscard]] fs::path root() const { return at_ / "cache"; }

    void fill_up(Lack lack) const {
        if (lack == Lack::inodes) {
            fs::create_directory(at_ / "filler");
            for (int i = 0;; ++i) {
                const int fd = ::open((at_ / "filler" / std::to_string(i)).c_str(),
                                      O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
                if (fd < 0) break;
                ::close(fd);
            }
            return;
        }
        const os::Fd fd(
            ::open((at_ / "filler").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        // If a file system allocates blocks late, "full" comes a little early: try once more when
        // all are allocated.
        for (int i = 0; i < 3; ++i) {
            write_until_full(fd.get());
            ::fsync(fd.get());
        }
    }

    void drain() const { fs::remove_all(at_ / "filler"); }

    [[nodiscard]] bool is_full() const {
        const fs::path probe = at_ / "probe";
        const int fd = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        if (fd < 0) return true;
        const bool full = ::write(fd, "x", 1) != 1;
        ::close(fd);
        ::unlink(probe.c_str());
        return full;
    }

private:
    fs::path at_;
};

/// Runs a test on a tmpfs with a limit and on a small ext4, for both things that a disk can lack.
void on_each_disk(const std::function<void(const Disk&, Lack)>& test) {
    for (const Lack lack : {Lack::blocks, Lack::inodes}) {
        const char* const what = lack == Lack::blocks ? "blocks" : "inodes";
        {
            const TempDir dir;
            const Mount tmpfs("tmpfs", dir.path(), "tmpfs", 0, "size=2m,nr_inodes=250,mode=0755");
            SKIP_UNLESS(tmpfs, "the right to mount a tmpfs");
            INFO("tmpfs without " << what);
            test(Disk(dir.path()), lack);
        }
        const TempDir dir;
        const LoopDisk ext4 = LoopDisk::ext4(dir.path(), "-N 250");
        SKIP_UNLESS(ext4, "a loop device and mkfs.ext4");
        INFO("ext4 without " << what);
        test(Disk(ext4.path()), lack);
    }
}

/// A source of 60 KB in three files, on another disk.
class Source {
public:
    explicit Source(const std::string& content) {
        fill(dir_.path(), content + std::string(20'000, '.'));
    }
    [[nodiscard]] const fs::path& path() const { return dir_.path(); }
    [[nodiscard]] std::string content() const { return read_file(dir_.path() / "f0"); }

private:
    TempDir dir_;
};

Result<Lease> try_put(const Bucket& bucket, const std::string& key, const Source& source) {
    auto staging = bucket.stage();
    if (!staging) return tl::make_unexpected(staging.error());
    if (const auto copied = staging->copy_from(source.path()); !copied)
        return tl::make_unexpected(copied.error());
    return bucket.publish(key, std::move(*staging));
}

void check_no_space(const Error& error) {
    INFO(error.message());
    CHECK(name_of(error.code) == name_of(Errc::no_space));
    CHECK(error.message().find("No space left") != std::string::npos);
}

void must_be_no_space(const Error& error) {
    Child::must(error.code == Errc::no_space && error.sys_errno == ENOSPC, error.message());
}

const std::vector<std::string> steps_of_put = {"stage.linked",
                                               "stage.made",
                                               "publish.listed",
                                               "publish.recorded",
                                               "publish.leased",
                                               "publish.locked",
                                               "publish.before-placing-new",
                                               "publish.before-exchange",
                                               "publish.placed",
                                               "publish.retired"};

/// Puts `key` while the disk becomes full at one of the steps. The put happens or not, and its
/// error says why.
void check_put(const Disk& disk, Lack lack, const std::string& step, const std::string& key,
               std::size_t& failed) {
    const Source old("old"), fresh("new");
    {
        const Cache cache = open_cache(disk.root());
        const Bucket bucket = value(cache.bucket("b"));
        value(try_put(bucket, "k", old));
        value(cache.collect());  // this makes the collector's lock file, for verify
        Result<Lease> published;
        bool filled = false;
        {
            const AtPoints full([&](const std::string& point) {
                if (point == step && !filled) {
                    filled = true;
                    disk.fill_up(lack);
                    CHECK(disk.is_full());
                }
                return 0;
            });
            published = try_put(bucket, key, fresh);
        }
        const std::string before = key == "k" ? old.content() : "";
        if (published) {
            CHECK(content_of(*published) == fresh.content());
            CHECK(content_of(bucket, key) == fresh.content());
        } else {
            ++failed;
            check_no_space(published.error());
            CHECK(content_of(bucket, key) == before);
        }
        CHECK(content_of(bucket, "k") ==
              (key == "k" && published ? fresh.content() : old.content()));
        CHECK(value(cache.verify()).sound());
        published = tl::make_unexpected(Error{});
        disk.drain();
        // Nothing is broken: the same put works now.
        CHECK(content_of(value(try_put(bucket, key, fresh))) == fresh.content());
    }
    REQUIRE_NOTHROW(require_no_leak(disk.root(), key == "k" ? 1 : 2));
    fs::remove_all(disk.root());
}

/// Makes garbage of some size, and live entries, and then fills the disk. A process does all this
/// and keeps its participant, so the next process needs a new one.
void fill_with_garbage_and_live(const Disk& disk, const Cache& cache, Lack lack) {
    const Bucket bucket = value(cache.bucket("b")), other = value(cache.bucket("other"));
    const Source garbage("garbage"), live("live");
    for (int i = 0; i < 4; ++i) value(try_put(bucket, "replaced", garbage));
    value(try_put(bucket, "removed", garbage));
    value(try_put(bucket, "live", live));
    value(try_put(other, "refreshed", garbage));
    disk.fill_up(lack);
    CHECK(disk.is_full());
}

}  // namespace

TEST_CASE("a disk that becomes full at any step of a put of a new key") {
    on_each_disk([](const Disk& disk, Lack lack) {
        std::size_t failed = 0;
        for (const auto& step : steps_of_put) {
            INFO(step);
            check_put(disk, lack, step, "new key", failed);
        }
        CHECK(failed >= 2);  // at least the copy and the record need room
    });
}

TEST_CASE("a disk that becomes full at any step of a put that replaces") {
    on_each_disk([](const Disk& disk, Lack lack) {
        std::size_t failed = 0;
        for (const auto& step : steps_of_put) {
            INFO(step);
            check_put(disk, lack, step, "k", failed);
        }
        CHECK(failed >= 2);
    });
}

TEST_CASE(
    "a disk that becomes full while a process joins: an error, and the next process joins when "
    "there is room") {
    for (const std::string step : {"adopt.locked", "adopt.reaped"}) {
        on_each_disk([&](const Disk& disk, Lack lack) {
            INFO(step);
            const Source source("new");
            const Cache cache = open_cache(disk.root());  // it has not joined
            value(cache.collect());                       // this makes the collector's lock file
            in_child([&](Child&) {
                const Bucket bucket = value(open_cache(disk.root()).bucket("b"));
                bool filled = false;
                const AtPoints full([&](const std::string& point) {
                    if (point == step && !filled) disk.fill_up(lack);
                    filled = filled || point == step;
                    return 0;
                });
                const auto published = try_put(bucket, "k", source);
                Child::must(filled, "never there");
                Child::must(!published, "published on a full disk");
                must_be_no_space(published.error());
            });
            CHECK(value(cache.verify()).findings.empty());
            CHECK(value(cache.collect()).entries == 0);
            disk.drain();
            in_child([&](Child&) {
                value(try_put(value(open_cache(disk.root()).bucket("b")), "k", source));
            });
            REQUIRE_NOTHROW(require_no_leak(disk.root(), 1));
        });
    }
}

TEST_CASE(
    "a cache that can't be created on a full disk is an error, and can be created when there is "
    "room") {
    on_each_disk([](const Disk& disk, Lack lack) {
        if (lack == Lack::blocks) return;  // a few empty directories may still fit
        disk.fill_up(lack);
        const auto cache = Cache::open(disk.root(), test_options());
        REQUIRE_FALSE(cache);
        check_no_space(cache.error());
        disk.drain();
        put(value(open_cache(disk.root()).bucket("b")), "k", "good");
        REQUIRE_NOTHROW(require_no_leak(disk.root(), 1));
    });
}

TEST_CASE(
    "on a full disk, a process that has joined already gets, removes, refreshes, collects and then "
    "puts") {
    on_each_disk([](const Disk& disk, Lack lack) {
        const Cache cache = open_cache(disk.root());
        // Lock files are made at their first use, and stay.
        put(value(cache.bucket("b")), "first", "first");
        value(value(cache.bucket("b")).remove("first"));
        value(cache.collect());
        fill_with_garbage_and_live(disk, cache, lack);
        const Bucket bucket = value(cache.bucket("b"));
        CHECK_FALSE(content_of(bucket, "live").empty());
        const auto put_now = try_put(bucket, "new", Source("new"));
        REQUIRE_FALSE(put_now);
        check_no_space(put_now.error());

        CHECK(bucket.remove("removed"));
        CHECK(content_of(bucket, "removed").empty());
        CHECK(value(cache.bucket("other")).refresh());
        CHECK(content_of(value(cache.bucket("other")), "refreshed").empty());
        const auto collected = cache.collect();
        if (!collected) FAIL(collected.error().message());
        CHECK(collected->entries >= 5);
        CHECK(content_of(value(try_put(bucket, "new", Source("new")))) == Source("new").content());
        CHECK_FALSE(content_of(bucket, "live").empty());
        disk.drain();
        REQUIRE_NOTHROW(require_no_leak(disk.root(), 3));  // "replaced", "live", "new"
    });
}

TEST_CASE(
    "on a full disk that copies on write, a process that has joined already leases without new "
    "space") {
    const TempDir dir;
    const LoopDisk btrfs = LoopDisk::btrfs(dir.path());
    SKIP_UNLESS(btrfs, "a loop device and mkfs.btrfs");
    const Disk disk(btrfs.path());
    Child user([&](Child& child) {
        const Cache cache = open_cache(disk.root());
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "good");
        child.say("joined");
        child.hear();
        Child::must(content_of(Child::must(bucket.get("k"))) == "good",
                    "the entry");  // a SIGBUS if the table had to move
    });
    user.wait_for("joined");
    // 1. the table is on the disk, and its pages are clean: the next store asks the file system
    //    again
    // 2. there is no space
    ::sync();
    disk.fill_up(Lack::blocks);
    ::sync();
    CHECK(disk.is_full());
    user.go_on();
    CHECK(user.join() == 0);
}

TEST_CASE("on a full disk, a get with a lease table that was cloned is an error and no SIGBUS") {
    const TempDir dir;
    const LoopDisk xfs = LoopDisk::xfs(dir.path());
    SKIP_UNLESS(xfs, "a loop device and mkfs.xfs");
    const Disk disk(xfs.path());
    Child user([&](Child& child) {
        const Cache cache = open_cache(disk.root());
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "good");
        child.say("joined");
        child.hear();
        const auto lease = bucket.get("k");
        if (!lease) must_be_no_space(lease.error());
        child.say("got");
        child.hear();
        Child::must(content_of(Child::must(bucket.get("k"))) == "good", "the entry");
    });
    user.wait_for("joined");
    // From now on each block of the table is shared: the next write to it needs a new one.
    REQUIRE(run("cp --reflink=always " + (disk.root() / "participants" / "0").string() + " " +
                (xfs.path() / "clone").string()));
    ::sync();
    disk.fill_up(Lack::blocks);
    ::sync();
    CHECK(disk.is_full());
    user.go_on();
    user.wait_for("got");
    disk.drain();
    user.go_on();
    CHECK(user.join() == 0);
}

TEST_CASE(
    "on a full disk, a process that can't join removes, refreshes and collects, and then joins") {
    on_each_disk([](const Disk& disk, Lack lack) {
        const Cache cache = open_cache(disk.root());
        put(value(cache.bucket("b")), "first", "first");
        value(value(cache.bucket("b")).remove("first"));
        value(cache.collect());
        fill_with_garbage_and_live(disk, cache, lack);
        in_child([&](Child&) {
            const Cache mine = open_cache(disk.root());
            const Bucket bucket = value(mine.bucket("b"));
            const auto lease = bucket.get("live");
            Child::must(!lease, "joined on a full disk");
            must_be_no_space(lease.error());
            Child::must(bucket.remove("removed"));
            const auto again = bucket.remove("removed");
            Child::must(!again && again.error().code == Errc::miss, "removed twice");
            Child::must(value(mine.bucket("other")).refresh());
            (void)Child::must(mine.collect());
            Child::must(!content_of(bucket, "live").empty(), "live is gone");
            (void)Child::must(try_put(bucket, "new", Source("new")));
        });
        disk.drain();
        CHECK(value(cache.verify()).sound());
        CHECK(content_of(value(cache.bucket("b")), "new") == Source("new").content());
        CHECK(content_of(value(cache.bucket("b")), "removed").empty());
        CHECK(content_of(value(cache.bucket("other")), "refreshed").empty());
        REQUIRE_NOTHROW(require_no_leak(disk.root(), 3));
    });
}

TEST_CASE(
    "a rename that finds no space: collect empties deleting/ and goes on, remove and refresh "
    "collect and try again") {
    // Renames fail as they do on ext4 and xfs when a directory can't grow, until something is
    // deleted.
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    const auto is_full = [&] { return count_entries(root / "deleting") > 0; };
    const auto step = [&](const std::function<Result<>()>& call) {
        for (const char* key : {"garbage", "k"}) put(bucket, key, "old");
        value(bucket.remove("garbage"));
        write_file(root / "deleting" / "filler", "x");
        int refused = 0;
        const AtPoints full([&](const std::string& point) {
            if (point != "os.noreplace" && point != "refresh.rename") return 0;
            if (!is_full()) return 0;
            ++refused;
            return ENOSPC;
        });
        const auto done = call();
        if (!done) FAIL_CHECK(done.error().message());
        CHECK(refused > 0);
    };
    step([&] { return bucket.remove("k"); });
    CHECK(content_of(bucket, "k").empty());
    step([&] { return bucket.refresh(); });
    CHECK(value(bucket.keys()).empty());
    step([&]() -> Result<> {
        const auto collected = cache.collect();
        if (!collected) return tl::make_unexpected(collected.error());
        return {};
    });
    CHECK(content_of(bucket, "k") == "old");
    CHECK(count_entries(root / "archive") == 1);
    REQUIRE_NOTHROW(require_no_leak(root, 1));
}

TEST_CASE("garbage makes room before any live entry does") {
    // A disk of its own, because the limit counts the files of a disk, too, and how much is free of
    // it, which other programs would change.
    const TempDir dir;
    const Mount tmpfs("tmpfs", dir.path(), "tmpfs", 0, "size=64m,nr_inodes=2000,mode=0755");
    SKIP_UNLESS(tmpfs, "the right to mount a tmpfs");
    const Cache cache = value(Cache::open(dir.path() / "cache"));
    const Bucket bucket = value(cache.bucket("b"));
    for (const char* key : {"k0", "k1"}) REQUIRE(try_put(bucket, key, Source(key)));
    Staging staging = value(bucket.stage());
    write_file(staging.path() / "large", std::string(16 << 20, 'x'));
    (void)value(bucket.publish("garbage", std::move(staging)));
    value(bucket.remove("garbage"));
    struct statvfs disk {};
    REQUIRE(::statvfs(dir.path().c_str(), &disk) == 0);
    // More than is free, and less than will be free.
    const auto wanted = std::uint64_t{disk.f_bavail} * disk.f_frsize + (4U << 20);
    const Limits limits{.min_free = wanted, .low_water = 100};
    CHECK(value(cache.collect(limits, {.dry_run = true})).evicted == 0);
    const auto done = value(cache.collect(limits));
    CHECK(done.evicted == 0);
    CHECK(done.entries == 1);
    CHECK(value(bucket.keys()).size() == 2);
}

TEST_CASE("garbage makes room before any live entry does, on a disk with too few files, too") {
    const TempDir dir;
    const Mount tmpfs("tmpfs", dir.path(), "tmpfs", 0, "size=64m,nr_inodes=600,mode=0755");
    SKIP_UNLESS(tmpfs, "the right to mount a tmpfs");
    const Cache cache = value(Cache::open(dir.path() / "cache"));
    const Bucket bucket = value(cache.bucket("b"));
    for (const char* key : {"k0", "k1"}) REQUIRE(try_put(bucket, key, Source(key)));
    Staging staging = value(bucket.stage());
    for (int number = 0; number < 400; ++number)
        write_file(staging.path() / std::to_string(number), "");
    (void)value(bucket.publish("garbage", std::move(staging)));
    value(bucket.remove("garbage"));
    struct statvfs disk {};
    REQUIRE(::statvfs(dir.path().c_str(), &disk) == 0);
    // Half of the bytes are free, and so much of the files only when the garbage is gone.
    REQUIRE(disk.f_ffree < disk.f_files / 2);
    REQUIRE(disk.f_bavail > disk.f_blocks / 2 + 256);
    const Limits limits{.min_free = disk.f_blocks * disk.f_frsize / 2, .low_water = 100};
    const auto planned = value(cache.collect(limits, {.dry_run = true}));
    CHECK(planned.evicted == 0);
    CHECK(planned.within_limits);
    const auto done = value(cache.collect(limits));
    CHECK(done.evicted == 0);
    CHECK(done.entries == 1);
    CHECK(done.within_limits);
    CHECK(value(bucket.keys()).size() == 2);
}

TEST_CASE("if no rename ever finds space, collect deletes in place") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "old");
    put(bucket, "k", "new");
    in_child([&](Child&) {
        const auto staged = value(value(open_cache(root).bucket("b")).stage());
        write_file(staged.path() / "half", "built");
        ::_exit(0);
    });
    {
        const AtPoints full(
            [&](const std::string& point) { return point == "os.noreplace" ? ENOSPC : 0; });
        const auto collected = cache.collect();
        if (!collected) FAIL(collected.error().message());
        CHECK(collected->entries == 1);
        CHECK(collected->reaped == 1);
    }
    CHECK(count_entries(root / "archive") == 1);
    CHECK(content_of(bucket, "k") == "new");
    REQUIRE_NOTHROW(require_no_leak(root, 1));
}

TEST_CASE("with no inode left, a cache that was never collected can be cleaned") {
    for (const std::string call : {"remove", "refresh", "collect"}) {
        const TempDir dir;
        const Mount tmpfs("tmpfs", dir.path(), "tmpfs", 0, "size=2m,nr_inodes=250,mode=0755");
        SKIP_UNLESS(tmpfs, "the right to mount a tmpfs");
        const Cache cache = open_cache(dir.path() / "cache");
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "old");
        put(bucket, "k", "new");
        for (int i = 0;; ++i) {
            const int fd =
                ::open((dir.path() / std::to_string(i)).c_str(), O_CREAT | O_WRONLY, 0600);
            if (fd < 0) break;
            ::close(fd);
        }
        if (call == "remove") CHECK(bucket.remove("k"));
        if (call == "refresh") CHECK(bucket.refresh());
        if (call == "collect") CHECK(cache.collect());
    }
}

TEST_CASE("a collection goes on with a refreshed bucket when it has made room for its links") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    std::optional<Lease> held = put(bucket, "0", "text");
    for (const char* const key : {"1", "2", "3", "4", "5"}) put(bucket, key, "text");
    value(bucket.refresh());
    bool is_full = false;
    int links = 0;
    const AtPoints full([&](const std::string& point) {
        if (point == "collect.flatten-one" && ++links == 4) is_full = true;
        if (point == "collect.moved") is_full = false;
        return is_full && point == "os.noreplace" ? ENOSPC : 0;
    });
    const auto check_progress = [](const CollectProgress& at) {
        if (at.total != 0) CHECK(at.done <= at.total);
    };
    const CollectReport report = value(cache.collect({}, {.on_progress = check_progress}));
    CHECK(links > 6);
    CHECK(report.entries == 5);
    CHECK(report.buckets == 1);
    CHECK(report.leased.size() == 1);
    held.reset();
    CHECK(value(cache.collect()).entries == 1);
}

TEST_CASE("what a collection deletes to make room counts as freed") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    const std::string text(64 * 1024, 'x');
    for (const char* const key : {"1", "2", "3", "4", "5"}) put(bucket, key, text);
    value(bucket.refresh());
    // Each rename of an entry but the first finds no space, until `deleting/` was emptied.
    bool finds_room = true, is_moving = false;
    const AtPoints full([&](const std::string& point) {
        if (point == "collect.scanned") is_moving = true;
        if (point == "collect.unlocked") is_moving = false;
        if (!is_moving || point != "os.noreplace") return 0;
        finds_room = !finds_room;
        return finds_room ? ENOSPC : 0;
    });
    const CollectReport report = value(cache.collect({}, {.count_freed = true}));
    CHECK(report.entries == 5);
    CHECK(report.freed.value_or(0) >= 5 * text.size());
}

TEST_CASE("a collection on a disk that stays full ends, and says what it could not move") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    for (const char* const key : {"1", "2", "3"}) put(bucket, key, "text");
    value(bucket.refresh());
    {
        bool is_flattening = false;
        const AtPoints full([&](const std::string& point) {
            if (point == "collect.flatten-one") is_flattening = true;
            if (point == "collect.flattened") is_flattening = false;
            return is_flattening && point == "os.noreplace" ? ENOSPC : 0;
        });
        const auto collected = cache.collect();
        REQUIRE_FALSE(collected);
        check_no_space(collected.error());
    }
    CHECK(value(cache.collect()).entries == 3);
}

TEST_CASE("a collection deletes and reaps on a full btrfs, and that is no failure") {
    const TempDir dir;
    const LoopDisk btrfs = LoopDisk::btrfs(dir.path());
    SKIP_UNLESS(btrfs, "a loop device and mkfs.btrfs");
    const Disk disk(btrfs.path());
    Child dead([&](Child& self) {
        const Bucket bucket = value(open_cache(disk.root()).bucket("b"));
        put(bucket, "k", "text");
        const Lease held = value(bucket.get("k"));
        self.say("leased");
        self.hear();
    });
    dead.wait_for("leased");
    dead.kill();
    in_child([&](Child&) {
        const Cache cache = open_cache(disk.root());
        const Bucket bucket = value(cache.bucket("b"));
        Child::must(bucket.remove("k"));
        disk.fill_up(Lack::blocks);
        Child::must(value(cache.collect({}, {.settle = true})).entries == 1, "not deleted");
    });
    disk.drain();
    REQUIRE_NOTHROW(require_no_leak(disk.root(), 0));
}
