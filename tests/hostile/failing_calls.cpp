// SPDX-License-Identifier: MIT
// Calls that fail because memory is short or the disk has a fault. An open is an error then, and
// never yields half a cache. A collection deletes nothing of which it could not learn that it may.
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "format/lock_bytes.hpp"
#include "os/file_lock.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// The call that must fail, counted from 1, and its error; 0: none. If `always` is set, all later
/// calls fail, too. `reached` says whether a call has failed.
struct Failing {
    int call = 0;
    int error = 0;
    bool always = false;
    bool reached = false;

    bool now() {
        if (call == 0 || --call != 0) return false;
        if (always) call = 1;
        reached = true;
        errno = error;
        return true;
    }
};
Failing faccessat_failing, fstat_failing, fstatat_failing, openat_failing, readlinkat_failing,
    read_failing, write_failing, lstat_failing, stat_failing;

/// How often a file was opened whose name is a number, as those of the lease tables are.
int tables_opened = 0;

/// Returns options by which a cache has the links that readlinkat reads.
OpenOptions with_symlinks() {
    OpenOptions options = test_options();
    options.link_kind = LinkKind::symlink;
    return options;
}

}  // namespace

extern "C" {
int __real_faccessat(int dir, const char* name, int mode, int flags);
int __wrap_faccessat(int dir, const char* name, int mode, int flags);
int __wrap_faccessat(int dir, const char* name, int mode, int flags) {
    return faccessat_failing.now() ? -1 : __real_faccessat(dir, name, mode, flags);
}

int __real_fstat(int fd, struct stat* to);
int __wrap_fstat(int fd, struct stat* to);
int __wrap_fstat(int fd, struct stat* to) {
    return fstat_failing.now() ? -1 : __real_fstat(fd, to);
}

int __real_fstatat(int dir, const char* name, struct stat* to, int flags);
int __wrap_fstatat(int dir, const char* name, struct stat* to, int flags);
int __wrap_fstatat(int dir, const char* name, struct stat* to, int flags) {
    return fstatat_failing.now() ? -1 : __real_fstatat(dir, name, to, flags);
}

/// The last argument is passed on whether there is one or not: openat reads it only if it should.
int __real_openat(int dir, const char* name, int flags, mode_t mode);
int __wrap_openat(int dir, const char* name, int flags, mode_t mode);
int __wrap_openat(int dir, const char* name, int flags, mode_t mode) {
    if ((flags & O_DIRECTORY) == 0 && *name >= '0' && *name <= '9' && std::strlen(name) < 6)
        ++tables_opened;
    return openat_failing.now() ? -1 : __real_openat(dir, name, flags, mode);
}

ssize_t __real_readlinkat(int dir, const char* name, char* to, std::size_t size);
ssize_t __wrap_readlinkat(int dir, const char* name, char* to, std::size_t size);
ssize_t __wrap_readlinkat(int dir, const char* name, char* to, std::size_t size) {
    return readlinkat_failing.now() ? -1 : __real_readlinkat(dir, name, to, size);
}

ssize_t __real_read(int fd, void* to, std::size_t size);
ssize_t __wrap_read(int fd, void* to, std::size_t size);
ssize_t __wrap_read(int fd, void* to, std::size_t size) {
    return read_failing.now() ? -1 : __real_read(fd, to, size);
}

int __real_lstat(const char* path, struct stat* to);
int __wrap_lstat(const char* path, struct stat* to);
int __wrap_lstat(const char* path, struct stat* to) {
    return lstat_failing.now() ? -1 : __real_lstat(path, to);
}

int __real_stat(const char* path, struct stat* to);
int __wrap_stat(const char* path, struct stat* to);
int __wrap_stat(const char* path, struct stat* to) {
    return stat_failing.now() ? -1 : __real_stat(path, to);
}

/// With the error 0 it writes nothing, and says so.
ssize_t __real_write(int fd, const void* from, std::size_t size);
ssize_t __wrap_write(int fd, const void* from, std::size_t size);
ssize_t __wrap_write(int fd, const void* from, std::size_t size) {
    if (write_failing.now()) return write_failing.error == 0 ? 0 : -1;
    return __real_write(fd, from, size);
}
}

TEST_CASE("a root whose permissions can't be read is an error, and not a read-only cache") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    (void)open_cache(root);
    for (const int error : {EIO, ENOMEM}) {
        faccessat_failing = {1, error};
        const auto opened = Cache::open(root, test_options());
        faccessat_failing = {};
        INFO(error);
        REQUIRE_FALSE(opened);
        CHECK(opened.error().sys_errno == error);
    }
    for (const int error : {EACCES, EPERM, EROFS}) {
        faccessat_failing = {1, error};
        const auto opened = Cache::open(root, test_options());
        faccessat_failing = {};
        INFO(error);
        REQUIRE(opened);
        CHECK(opened->is_read_only());
    }
}

TEST_CASE("a signal during the check of a root's permissions changes nothing") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    (void)open_cache(root);
    faccessat_failing = {1, EINTR};
    const auto opened = Cache::open(root, test_options());
    CHECK(faccessat_failing.call == 0);  // the call was made, and was made again
    REQUIRE(opened);
    CHECK_FALSE(opened->is_read_only());
}

TEST_CASE(
    "if any look at an open file fails while a cache is opened, the open fails or the entries are "
    "hits") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    (void)put(value(open_cache(root).bucket("b")), "k", "content");
    int opened_with_error = 0;
    for (int call = 1;; ++call) {
        fstat_failing = {call, EIO};
        const auto opened = Cache::open(root, test_options());
        const bool reached = fstat_failing.call == 0;
        fstat_failing = {};
        if (!reached) break;
        INFO(call);
        if (!opened) {
            ++opened_with_error;
            CHECK(opened.error().sys_errno == EIO);
            continue;
        }
        CHECK(content_of(value(opened->bucket("b")), "k") == "content");
    }
    CHECK(opened_with_error >= 2);
}

TEST_CASE(
    "if a lease table can't be read, and any look at a name fails too, a leased entry stays") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    const Lease lease = put(bucket, "k", "content");
    const fs::path unreadable = cache.root() / "participants" / "1";
    write_file(unreadable, std::string(16384, 'x'));
    REQUIRE(bucket.remove("k"));
    int collections = 0;
    for (int call = 1;; ++call) {
        fstatat_failing = {call, EIO};
        const auto collected = cache.collect();
        const bool reached = fstatat_failing.call == 0;
        fstatat_failing = {};
        INFO(call);
        REQUIRE(fs::exists(lease.path()));
        CHECK_FALSE(collected);
        if (!reached) break;
        ++collections;
    }
    CHECK(collections >= 1);
    fs::remove(unreadable);
    CHECK(value(cache.collect()).leased.size() == 1);
    CHECK(fs::exists(lease.path()));
}

TEST_CASE("if a link or a record can't be read, a repair gives no live entry a second link") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "content");
    put(bucket, "other", "other");
    REQUIRE(bucket.remove("other"));
    int failed = 0;
    for (Failing* const failing : {&readlinkat_failing, &read_failing}) {
        for (int call = 1;; ++call) {
            *failing = {call, EIO};
            const auto verified = cache.verify({.repair = true});
            const bool reached = failing->call == 0;
            *failing = {};
            INFO(call);
            for (const auto& finding : value(verified).findings) {
                CHECK(finding.kind == Finding::Kind::unreadable);
                CHECK_FALSE(finding.repaired);
            }
            const auto after = value(cache.verify());
            CHECK(after.sound());
            CHECK(after.garbage == 1);
            if (!reached) break;
            failed += !verified->findings.empty();
        }
    }
    CHECK(failed >= 3);
    CHECK(content_of(bucket, "k") == "content");
}

TEST_CASE("a key that can't be read stops no other key of a refresh") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache", with_symlinks());
    const Bucket bucket = value(cache.bucket("b"));
    for (const char* const key : {"a1", "a2", "a3"}) put(bucket, key, "content");
    readlinkat_failing = {2, EIO};
    std::vector<std::string> taken;
    const auto refreshed = bucket.refresh({
        .pattern = "a*",
        .on_taken = [&](const std::string& key) { taken.push_back(key); },
    });
    readlinkat_failing = {};
    REQUIRE_FALSE(refreshed);
    CHECK(refreshed.error().sys_errno == EIO);
    CHECK(taken.size() == 2);
    CHECK(value(bucket.keys()).size() == 1);
}

TEST_CASE("a link in the trash that can't be read stops no restore of another entry") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache", with_symlinks());
    const Bucket bucket = value(cache.bucket("b"));
    for (const char* const key : {"k", "other"}) {
        put(bucket, key, "content");
        REQUIRE(bucket.remove(key));
    }
    const auto trash = value(cache.trash());
    REQUIRE(trash.size() == 2);
    int restored = 0;
    for (const int call : {1, 2}) {
        readlinkat_failing = {call, EIO};
        const auto done = cache.restore(trash.front().id, {.replace = true});
        readlinkat_failing = {};
        if (done) ++restored;
        if (!done) CHECK(done.error().sys_errno == EIO);
    }
    CHECK(restored == 1);
}

TEST_CASE("if any look at a name fails, a destroy takes nothing from a process that has leased") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Lease lease = put(value(cache.bucket("b")), "k", "content");
    for (int call = 1;; ++call) {
        fstatat_failing = {call, EIO};
        const auto destroyed = Cache::destroy(cache.root());
        const bool reached = fstatat_failing.call == 0;
        fstatat_failing = {};
        INFO(call);
        REQUIRE_FALSE(destroyed);
        REQUIRE(fs::exists(lease.path()));
        CHECK(content_of(value(open_cache(cache.root()).bucket("b")), "k") == "content");
        if (!reached) break;
    }
}

TEST_CASE("if any read fails, a destroy takes nothing from a process that has leased") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Lease lease = put(value(cache.bucket("b")), "k", "content");
    const std::string format = read_file(cache.root() / "format");
    for (int call = 1;; ++call) {
        read_failing = {call, EIO};
        const auto destroyed = Cache::destroy(cache.root());
        const bool reached = read_failing.call == 0;
        read_failing = {};
        INFO(call);
        REQUIRE_FALSE(destroyed);
        REQUIRE(fs::exists(lease.path()));
        CHECK(read_file(cache.root() / "format") == format);  // other processes can open it
        if (!reached) break;
    }
}

TEST_CASE("if any opening fails, a destroy takes nothing while another process collects") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    put(value(open_cache(root).bucket("b")), "k", "content");
    const auto dir_of_locks = value(os::open_dir(root));
    const auto collects = value(os::FileLock::try_lock(dir_of_locks, "locks", os::Mode::exclusive,
                                                       os::Range::byte(format::collector_byte)));
    REQUIRE(collects);
    for (int call = 1;; ++call) {
        openat_failing = {call, EMFILE};
        const auto destroyed = Cache::destroy(root);
        const bool reached = openat_failing.call == 0;
        openat_failing = {};
        INFO(call);
        REQUIRE_FALSE(destroyed);
        CHECK(content_of(value(open_cache(root).bucket("b")), "k") == "content");
        if (!reached) break;
    }
}

TEST_CASE("if the record of a pinned key can't be read, the list of pins is an error") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    const std::string key(1000, 'k');  // only the record has all of it
    put(bucket, key, "content");
    value(bucket.pin(key));
    for (int call = 1;; ++call) {
        read_failing = {call, EIO};
        const auto pins = cache.pins();
        const bool reached = read_failing.call == 0;
        read_failing = {};
        INFO(call);
        CHECK(pins.has_value() == !reached);
        if (pins) CHECK(pins->size() == 1);
        if (!reached) break;
        REQUIRE(call < 100);
    }
}

TEST_CASE("if any opening fails, an unpin tells whether the key is still pinned") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    const Bucket bucket = value(cache.bucket("b"));
    for (int call = 1;; ++call) {
        value(bucket.pin("k"));
        openat_failing = {call, EMFILE};
        const auto unpinned = bucket.unpin("k");
        const bool reached = openat_failing.call == 0;
        openat_failing = {};
        INFO(call);
        CHECK(value(cache.pins()).size() == (unpinned ? 0 : 1));
        if (!reached) break;
    }
}

namespace {

/// Links a path to an entry, calls `change(cache, path)` while a call fails, takes the entry out,
/// and collects. Does this for the first call that fails, the second one and so on. The entry must
/// stay if the path is still there.
void keep_what_a_path_leads_to(Failing& failing,
                               const std::function<void(const Cache&, const fs::path&)>& change) {
    for (int call = 1;; ++call) {
        INFO(call);
        const TempDir dir;
        const Cache cache = open_cache(dir.path() / "cache");
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "content");
        const fs::path path = dir.path() / "linked", between = dir.path() / "between";
        value(cache.link("b", "k", path));
        // The path leads to the entry through another symlink.
        fs::rename(path, between);
        fs::create_symlink("between", path);
        failing = {call, EIO};
        change(cache, path);
        const bool reached = failing.call == 0;
        failing = {};
        (void)bucket.remove("k");
        (void)value(cache.collect());
        if (stands(path)) REQUIRE(read_file(path / "f0") == "content");
        if (!reached) break;
    }
}

}  // namespace

TEST_CASE("if any look fails, an unlink, a prune or a collection takes no entry from a path") {
    struct Call {
        const char* name;
        Failing& failing;
    };
    for (const Call& each : {Call{"lstat", lstat_failing}, Call{"stat", stat_failing},
                             Call{"fstatat", fstatat_failing}, Call{"read", read_failing}}) {
        INFO(each.name);
        keep_what_a_path_leads_to(each.failing, [](const Cache& cache, const fs::path& path) {
            if (cache.unlink(path)) CHECK_FALSE(stands(path));
        });
        keep_what_a_path_leads_to(
            each.failing, [](const Cache& cache, const fs::path&) { (void)cache.prune_roots(); });
        keep_what_a_path_leads_to(each.failing, [](const Cache& cache, const fs::path&) {
            (void)value(cache.bucket("b")).remove("k");
            (void)cache.collect();
        });
    }
}

TEST_CASE("if any look fails, a link leaves the path as it was, or leads it to the entry") {
    for (Failing* const failing : {&lstat_failing, &stat_failing, &fstatat_failing}) {
        for (int call = 1;; ++call) {
            INFO(call);
            const TempDir dir;
            const Cache cache = open_cache(dir.path() / "cache");
            const Bucket bucket = value(cache.bucket("b"));
            for (const char* const key : {"old", "new"}) put(bucket, key, key);
            const fs::path path = dir.path() / "linked";
            value(cache.link("b", "old", path));
            *failing = {call, EIO};
            const auto linked = cache.link("b", "new", path);
            const bool reached = failing->reached;
            *failing = {};
            const std::string text = read_file(path / "f0");
            CHECK((text == "new" || (!linked && text == "old")));
            CHECK(count_entries(dir.path()) == 2);  // and nothing beside the path
            value(bucket.refresh());
            (void)value(cache.collect());
            CHECK(read_file(path / "f0") == text);
            if (!reached) break;
        }
    }
}

TEST_CASE("a root that can't be read is no reason to say that a path is not linked") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    put(value(cache.bucket("b")), "k", "content");
    const fs::path path = dir.path() / "linked";
    value(cache.link("b", "k", path));
    int reads = 0;
    for (const int error : {EIO, EOPNOTSUPP}) {
        for (int call = 1; reads == 0 || call <= reads; ++call) {
            INFO(error << " " << call);
            read_failing = {call, error};
            const auto unlinked = cache.unlink(path);
            const bool reached = read_failing.reached;
            read_failing = {};
            if (!reached) {
                reads = call - 1;
                value(cache.link("b", "k", path));
                break;
            }
            REQUIRE_FALSE(unlinked);
            CHECK(unlinked.error().sys_errno == error);
            CHECK(read_file(path / "f0") == "content");
        }
    }
    value(cache.unlink(path));
    CHECK_FALSE(stands(path));
}

TEST_CASE("if looks or reads in the cache fail, a destroy takes no entry from a path") {
    struct Call {
        const char* name;
        Failing& failing;
    };
    for (const Call& each : {Call{"fstatat", fstatat_failing}, Call{"read", read_failing},
                             Call{"openat", openat_failing}}) {
        const TempDir dir;
        const fs::path root = dir.path() / "cache", path = dir.path() / "linked";
        in_child([&](Child&) {
            const Cache cache = open_cache(root);
            put(value(cache.bucket("b")), "k", "content");
            value(cache.link("b", "k", path));
        });
        for (const bool always : {false, true}) {
            for (int call = 1;; ++call) {
                INFO(each.name << " " << call << (always ? " and all later ones" : ""));
                each.failing = {call, EIO, always};
                const auto destroyed = Cache::destroy(root);
                const bool reached = each.failing.reached;
                each.failing = {};
                CHECK_FALSE(destroyed);
                REQUIRE(read_file(path / "f0") == "content");
                if (!reached) break;
            }
        }
    }
}

TEST_CASE("a destroy whose writing fails leaves the cache as it was") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    OpenOptions options = test_options();
    options.link_kind = LinkKind::file;
    put(value(open_cache(root, options).bucket("b")), "k", "content");
    write_failing = {1, EIO};  // after ENOSPC it makes room
    const auto destroyed = Cache::destroy(root);
    write_failing = {};
    REQUIRE_FALSE(destroyed);
    const Cache cache = open_cache(root);
    CHECK(cache.link_kind() == LinkKind::file);
    CHECK(content_of(value(cache.bucket("b")), "k") == "content");
    CHECK(value(cache.verify()).findings.empty());
}

TEST_CASE("a destroy that can't give back a cache in use says so, and another one gives it back") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "content"); });
    const Cache cache = open_cache(root);  // open, and it has not joined
    std::optional<Lease> lease;
    os::set_point_hook([&](const char* name) {
        if (name == std::string("destroy.marked")) {
            lease = value(value(cache.bucket("b")).get("k"));
            write_failing = {1, EDQUOT};
        }
        return 0;
    });
    auto destroyed = Cache::destroy(root);
    os::set_point_hook({});
    CHECK(write_failing.call == 0);
    write_failing = {};
    REQUIRE_FALSE(destroyed);
    CHECK(destroyed.error().sys_errno == EDQUOT);
    INFO(destroyed.error().message());
    CHECK(destroyed.error().message().find("no process can open it") != std::string::npos);
    destroyed = Cache::destroy(root);
    REQUIRE_FALSE(destroyed);
    CHECK(destroyed.error().code == Errc::busy);
    in_child([&](Child&) { (void)open_cache(root); });
    CHECK(content_of(*lease) == "content");
}

TEST_CASE("a write that takes no byte is a full disk, and is not made for ever") {
    const TempDir dir;
    const Bucket bucket = value(open_cache(dir.path() / "cache").bucket("b"));
    auto staging = value(bucket.stage());
    write_failing = {1, 0};
    const auto published = bucket.publish("k", std::move(staging));
    write_failing = {};
    REQUIRE_FALSE(published);
    CHECK(published.error().code == Errc::no_space);
}

TEST_CASE("if a look at a destination is refused, a materialize makes it or finds it") {
    const TempDir dir;
    const Lease lease = put(value(open_cache(dir.path() / "cache").bucket("b")), "k", "content");
    for (const std::string standing : {"nothing", "a directory"}) {
        bool has_failed = true;
        for (int call = 1; has_failed; ++call) {
            INFO(standing << ", look " << call);
            const fs::path destination = dir.path() / (standing + std::to_string(call));
            if (standing == "a directory") fs::create_directory(destination);
            lstat_failing = {call, EPERM};
            const auto report = materialize(lease.path(), destination);
            has_failed = lstat_failing.call == 0;
            lstat_failing = {};
            REQUIRE((report ? "" : report.error().message()) == "");
            CHECK_FALSE(fs::is_empty(destination));
        }
    }
}

// ---- a join that can't succeed ----

namespace {

/// Joins the cache at `root` in a process of its own after `before` has run there, requires that it
/// fails, and soon, and returns how many tables there are then.
std::size_t tables_after_failed_join(const fs::path& root, const std::function<void()>& before) {
    Child joiner([&](Child&) {
        const Cache cache = open_cache(root);
        (void)::alarm(20);  // arbitrary: each attempt takes microseconds
        before();
        const auto staging = value(cache.bucket("b")).stage();
        fstatat_failing = {};
        Child::must(!staging, "joined");
        Child::must(staging.error().code != Errc::miss, staging.error().message());
    });
    CHECK(joiner.join() == 0);
    return count_entries(root / "participants");
}

}  // namespace

TEST_CASE("a join ends, and makes few tables, if the system denies each look at a table") {
    for (const int error : {ENOENT, EIO, EACCES}) {
        INFO(error);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        (void)open_cache(root);
        CHECK(tables_after_failed_join(root, [error] {
                  fstatat_failing = {.call = 1, .error = error, .always = true};
              }) <= 128);
    }
}

TEST_CASE("a join ends, and makes few tables, if the staging areas can't be looked at") {
    SKIP_UNLESS(is_root_user(), "root, to become a user");
    const TempDir dir;
    fs::permissions(dir.path(), fs::perms(0777));
    const fs::path root = dir.path() / "cache";
    in_child([&](Child&) {
        become_nobody();
        put(value(open_cache(root).bucket("b")), "k", "text");
    });
    fs::permissions(root / "staging", fs::perms(0600));
    Child joiner([&](Child&) {
        become_nobody();
        const Cache cache = open_cache(root);
        (void)::alarm(20);  // arbitrary: each attempt takes microseconds
        const auto staging = value(cache.bucket("b")).stage();
        Child::must(!staging, "joined");
        Child::must(contains(staging.error().message(), "staging"), staging.error().message());
    });
    CHECK(joiner.join() == 0);
    CHECK(count_entries(root / "participants") <= 2);
}

TEST_CASE("a cache of which a destroy has deleted a part is given back after no error") {
    for (int call = 1;; ++call) {
        INFO(call);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        Child user([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); });
        CHECK(user.join() == 0);
        Child killed([&](Child&) { (void)Cache::destroy(root); }, {{}, {"destroy.one"}});
        CHECK(killed.join() == 128 + SIGKILL);
        Child destroyer([&](Child& self) {
            openat_failing = {.call = call, .error = EIO};
            const auto destroyed = Cache::destroy(root);
            const bool reached = openat_failing.call == 0;
            openat_failing = {};
            Child::must(destroyed || destroyed.error().sys_errno == EIO, "another error");
            self.say(reached ? "reached" : "all");
        });
        const std::string said = destroyer.listen();
        CHECK(destroyer.join() == 0);
        if (stands(root)) {
            Child opener(
                [&](Child&) { Child::must(!Cache::open(root, test_options()), "opened"); });
            CHECK(opener.join() == 0);
        }
        if (said != "reached") break;
    }
}

TEST_CASE("a destroy that gives a cache back makes the tables again that a killed one has taken") {
    int given_back = 0;
    for (int call = 1;; ++call) {
        INFO(call);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        Child staging([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "text"); },
                      {{}, {"publish.recorded"}});
        CHECK(staging.join() == 128 + SIGKILL);
        Child killed([&](Child&) { (void)Cache::destroy(root); }, {{}, {"destroy.closed"}});
        CHECK(killed.join() == 128 + SIGKILL);
        Child destroyer([&](Child& self) {
            openat_failing = {.call = call, .error = EIO};
            (void)Cache::destroy(root);
            const bool reached = openat_failing.call == 0;
            openat_failing = {};
            self.say(reached ? "reached" : "all");
        });
        const std::string said = destroyer.listen();
        CHECK(destroyer.join() == 0);
        if (said != "reached") break;
        if (!stands(root)) continue;
        const auto opened = Cache::open(root, test_options());
        if (!opened) continue;
        ++given_back;
        (void)value(opened->collect());
        require_no_leak(root, 0);
    }
    CHECK(given_back > 0);
}

TEST_CASE("a list reads each lease table once, however many entries and buckets there are") {
    const TempDir dir;
    const Cache cache = open_cache(dir.path() / "cache");
    std::vector<std::string> names;
    for (int i = 0; i < 4; ++i) {
        names.push_back("b" + std::to_string(i));
        const Bucket bucket = value(cache.bucket(names.back()));
        for (int j = 0; j < 5; ++j) put(bucket, "k" + std::to_string(j), "text");
    }
    const fs::path tables = dir.path() / "cache" / "participants";
    for (int i = 1; i < 10; ++i) fs::copy_file(tables / "0", tables / std::to_string(i));
    int seen = 0;
    tables_opened = 0;
    value(cache.visit_entries(names, [&](const VisitedEntry& entry) {
        CHECK(entry.info);
        return ++seen > 0;
    }));
    CHECK(seen == 20);
    CHECK(tables_opened == 10);
    // One key costs one look, and a key without an entry costs none.
    tables_opened = 0;
    CHECK(value(cache.bucket("b0")).info("k0"));
    CHECK(tables_opened == 10);
    CHECK_FALSE(value(cache.bucket("b0")).info("none"));
    CHECK(tables_opened == 10);
}
