// SPDX-License-Identifier: MIT
// Leases: while a live process holds one, its entry is neither moved nor changed, whatever any
// process runs (invariant 4).

#include <fcntl.h>
#include <unistd.h>

#ifdef __linux__
#include <sched.h>
#include <sys/prctl.h>
#endif

#include "cache/lease_table.hpp"
#include "catch.hpp"
#include "os/posix/fd.hpp"
#include "scene.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Does everything that could take an entry away, and puts another one in its place.
void refresh_collect_put_collect(const Scene& scene) {
    value(scene.bucket.refresh());
    (void)value(scene.cache.collect());
    put(scene.bucket, "k", "new");
    put(scene.bucket, "k", "newer");
    (void)value(scene.cache.collect());
}

/// Leases "k" and says so. When it is told to go on, it compares every byte, and then releases.
Child holder(const Scene& scene) {
    return Child([&scene](Child& child) {
        Lease lease = value(open_bucket(scene.root).get("k"));
        const auto before = snapshot(lease.path());
        child.say("leased");
        child.hear();
        Child::must(snapshot(lease.path()) == before && !before.empty(),
                    "the leased files have changed");
        lease.release();
        child.say("released");
        child.hear();
    });
}

}  // namespace

TEST_CASE(
    "a lease holds across refresh, collection and another put, byte for byte, until it is "
    "released") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child child = holder(scene);
    child.wait_for("leased");
    value(scene.bucket.refresh());
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 0);
    REQUIRE(report.leased.size() == 1);
    CHECK(report.leased[0].process.pid == child.pid());
    CHECK(report.leased[0].bucket == "b");
    CHECK(report.leased[0].key == "k");
    refresh_collect_put_collect(scene);
    child.go_on();
    child.wait_for("released");
    CHECK(value(scene.cache.collect()).entries == 1);
    child.go_on();
    CHECK(child.join() == 0);
    CHECK(content_of(scene.bucket, "k") == "newer");
    require_no_leak(scene.root, 1);
}

TEST_CASE("a stopped process keeps its lease, and delays no other process") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child child = holder(scene);
    child.wait_for("leased");
    child.stop();
    refresh_collect_put_collect(scene);
    CHECK(outcome(open_hasty(scene.root).remove("k")) == "ok");
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    child.resume();
    child.go_on();
    child.wait_for("released");
    child.go_on();
    CHECK(child.join() == 0);
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "a process stopped inside publish holds up no refresh, no collection, no get and no other "
    "publish") {
    for (const std::string point : {"publish.leased", "publish.locked"}) {
        INFO("stopped at " << point);
        const Scene scene;
        put(scene.bucket, "k", "old");
        Child child(
            [&](Child& self) {
                const Lease lease = put(open_bucket(scene.root), "k", "late");
                const auto before = snapshot(lease.path());
                self.say("published");
                self.hear();
                Child::must(content_of(lease) == "late" && snapshot(lease.path()) == before,
                            "the leased files have changed");
            },
            {{point}, {}});
        child.wait_for(point);
        child.stop();
        const Bucket hasty = open_hasty(scene.root);  // a wait for a lock fails at once
        CHECK(outcome(hasty.refresh()) == "ok");
        CHECK(content_of(hasty, "k") == "");
        CHECK(value(scene.cache.collect()).entries == 1);
        CHECK(outcome(try_put(hasty, "k", "new")) == "ok");
        CHECK(outcome(try_put(hasty, "k2", "new")) == "ok");
        CHECK(content_of(hasty, "k") == "new");
        CHECK(outcome(hasty.refresh()) == "ok");
        CHECK(value(scene.cache.collect()).entries == 2);
        CHECK(value(scene.cache.verify()).findings.empty());
        child.resume();
        go_on_until(child, "published");
        refresh_collect_put_collect(scene);
        child.go_on();
        CHECK(child.join() == 0);
        require_no_leak(scene.root, 1);
    }
}

TEST_CASE("the leases of a killed process end") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child child = holder(scene);
    child.wait_for("leased");
    value(scene.bucket.refresh());
    CHECK(value(scene.cache.collect()).entries == 0);
    child.kill();
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 1);
    CHECK(report.reaped == 1);
    CHECK(report.leased.empty());
    require_no_leak(scene.root, 0);
}

TEST_CASE("a killed process that its parent has not waited for yet holds no lease") {
    // Its pid still exists, as a zombie. Its lock does not.
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child child = holder(scene);
    child.wait_for("leased");
    value(scene.bucket.refresh());
    ::kill(child.pid(), SIGKILL);
    eventually("the killed process has ended",
               [&] { return value(scene.cache.status()).leases.empty(); });
    CHECK(value(scene.cache.collect()).entries == 1);
    child.kill();
}

TEST_CASE("a forked child can read what its parent had leased, even after the parent is killed") {
    // 1. P leases, stages, and forks F. F holds P's participant open, and with it the lock
    // 2. P is killed
    // 3. other processes refresh and collect: what P had leased and staged stays until F has ended
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child parent([&](Child& self) {
        const Bucket bucket = open_bucket(scene.root);
        const Lease lease = value(bucket.get("k"));
        const Staging staging = value(bucket.stage());
        fill(staging.path(), "staged");
        const auto staged = staging.path();
        if (::fork() != 0) {
            for (;;) ::pause();
        }
        self.say("forked");  // F says this, and all that follows
        self.hear();
        Child::must(content_of(lease) == "old", "the leased files have changed");
        Child::must(fs::exists(staged / "f0"), "the staged files are gone");
        self.say("whole");
        self.hear();
    });
    parent.wait_for("forked");
    parent.kill();
    value(scene.bucket.refresh());
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.reaped == 0);
    CHECK(report.leased.size() == 1);
    parent.go_on();
    parent.wait_for("whole");
    parent.go_on();
    eventually("the forked child has ended",
               [&] { return value(scene.cache.status()).leases.empty(); });
    CHECK(value(scene.cache.collect()).entries == 2);  // what was leased, and what was staged
    require_no_leak(scene.root, 0);
}

TEST_CASE(
    "the lease that publish returns protects from the first instant at which other processes see "
    "the entry") {
    // 1. P has placed its link, and has not returned
    // 2. another process replaces it, removes the replacement, and collects
    // 3. P returns: its entry is there
    for (const bool is_new : {true, false}) {
        const Scene scene;
        if (!is_new) put(scene.bucket, "k", "old");
        Child child(
            [&](Child& self) {
                const Lease lease = put(open_bucket(scene.root), "k", "mine");
                Child::must(content_of(lease) == "mine", "the publisher's entry has changed");
                self.say("whole");
                self.hear();
            },
            {{"publish.placed"}, {}});
        child.wait_for("publish.placed");
        put(scene.bucket, "k", "other");
        value(scene.bucket.remove("k"));
        const auto report = value(scene.cache.collect());
        REQUIRE(report.leased.size() == 1);
        CHECK(report.leased[0].process.pid == child.pid());
        child.go_on();
        child.wait_for("whole");
        child.go_on();
        CHECK(child.join() == 0);
        require_no_leak(scene.root, 0);
    }
}

TEST_CASE("an entry that was published and is not yet placed is leased too") {
    // No other process reaps its link, which is in a living process's staging area. Even if it is
    // retired by hand, nothing is lost.
    const Scene scene;
    Child child(
        [&](Child& self) {
            const Lease lease = put(open_bucket(scene.root), "k", "mine");
            Child::must(content_of(lease) == "mine", "the publisher's entry has changed");
            self.say("whole");
        },
        {{"publish.leased"}, {}});
    child.wait_for("publish.leased");
    const auto status = value(scene.cache.status());
    REQUIRE(status.leases.size() == 1);
    CHECK(status.leases[0].process.pid == child.pid());
    plant_link(scene.cache, scene.root / "retired" / "links", fresh_name(), status.leases[0].id);
    CHECK(value(scene.cache.collect()).entries == 0);
    child.go_on();
    child.wait_for("whole");
    CHECK(child.join() == 0);
}

// ---- the object ----

TEST_CASE("a lease tells whether it protects") {
    const Scene scene;
    CHECK_FALSE(Lease().is_protected());
    CHECK_FALSE(static_cast<bool>(Lease()));
    CHECK(put(scene.bucket, "k", "x").is_protected());
    CHECK(value(scene.bucket.get("k")).is_protected());

    OpenOptions options = test_options();
    options.read_only = true;
    const Lease lease = value(open_bucket(scene.root, options).get("k"));
    CHECK(lease);
    CHECK(content_of(lease) == "x");
    CHECK_FALSE(lease.is_protected());
    CHECK(value(scene.cache.status()).leases.empty());
}

TEST_CASE("release ends a lease at once, and only once") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    Lease lease = value(scene.bucket.get("k"));
    CHECK(value(scene.cache.status()).leases.size() == 1);
    lease.release();
    CHECK_FALSE(static_cast<bool>(lease));
    CHECK_FALSE(lease.is_protected());
    CHECK(lease.path().empty());
    CHECK(lease.id().empty());
    CHECK(value(scene.cache.status()).leases.empty());
    // Another lease has the slot by now.
    const Lease other = value(scene.bucket.get("k"));
    lease.release();
    CHECK(value(scene.cache.status()).leases.size() == 1);
    value(scene.bucket.remove("k"));
    CHECK(value(scene.cache.collect()).entries == 0);
    CHECK(content_of(other) == "old");
}

TEST_CASE("a lease moves with its object, and a lease that is assigned over ends") {
    const Scene scene;
    put(scene.bucket, "k1", "one");
    put(scene.bucket, "k2", "two");
    Lease first = value(scene.bucket.get("k1"));
    Lease moved = std::move(first);
    CHECK_FALSE(static_cast<bool>(first));
    CHECK(content_of(moved) == "one");
    CHECK(value(scene.cache.status()).leases.size() == 1);
    first = value(scene.bucket.get("k2"));
    moved = std::move(first);
    first.release();
    CHECK(content_of(moved) == "two");
    const auto leases = value(scene.cache.status()).leases;
    REQUIRE(leases.size() == 1);
    CHECK(leases[0].key == "k2");
    value(scene.bucket.refresh());
    CHECK(value(scene.cache.collect()).entries == 1);
    CHECK(content_of(moved) == "two");
}

TEST_CASE("a lease outlives the objects that it came from") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child child([&](Child& self) {
        Lease lease;
        {
            const Cache cache = open_cache(scene.root);
            lease = value(value(cache.bucket("b")).get("k"));
        }
        self.say("leased");
        self.hear();
        Child::must(content_of(lease) == "old", "the leased files have changed");
    });
    child.wait_for("leased");
    refresh_collect_put_collect(scene);
    child.go_on();
    CHECK(child.join() == 0);
}

TEST_CASE(
    "if a full disk has no space to write a lease there is none, and if its end can't be written "
    "it ends later") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    put(scene.bucket, "l", "other");
    Child user([&](Child& child) {
        bool is_full = false;
        os::set_point_hook([&is_full](const char* name) {
            const std::string point = name;
            if (point == "os.map-table") return EINVAL;  // as on btrfs
            return point == "os.write-table" && is_full ? ENOSPC : 0;
        });
        const Bucket bucket = open_bucket(scene.root);
        // A search for a slot goes by words of 64: a free slot before the one in question is found
        // first.
        std::vector<Lease> before;
        for (int i = 0; i < 70; ++i) before.push_back(value(bucket.get("l")));
        Lease lease = value(bucket.get("k"));
        before.clear();
        child.say("leased");
        child.hear();
        Child::must(content_of(lease) == "old", "the leased entry");
        is_full = true;
        const auto none = bucket.get("l");
        Child::must(!none && none.error().code == Errc::no_space,
                    "a lease that is written down nowhere");
        lease.release();
        child.say("released");
        child.hear();
        is_full = false;
        Child::must(content_of(bucket, "l") == "other", "the other entry");
        child.say("used");
        child.hear();
    });
    user.wait_for("leased");
    value(scene.bucket.remove("k"));
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    user.go_on();
    user.wait_for("released");
    CHECK(value(scene.cache.collect()).leased.size() == 1);
    user.go_on();
    user.wait_for("used");
    const auto report = value(scene.cache.collect());
    CHECK(report.leased.empty());
    CHECK(report.entries == 1);
    user.go_on();
    CHECK(user.join() == 0);
    require_no_leak(scene.root, 1);
}

TEST_CASE("status says which process has leased what") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    Child child = holder(scene);
    child.wait_for("leased");
    const auto status = value(scene.cache.status());
    REQUIRE(status.leases.size() == 1);
    const LeaseInfo& lease = status.leases[0];
    CHECK(lease.process.pid == child.pid());
    CHECK(lease.process.alive);
    CHECK(lease.process.here);
    CHECK(lease.bucket == "b");
    CHECK(lease.key == "k");
    CHECK(lease.id == value(scene.bucket.info("k")).id);
    CHECK_FALSE(status.collecting);
    child.kill();
    CHECK(value(scene.cache.status()).leases.empty());
}

// ---- many ----

TEST_CASE("more leases than one table has slots: each holds its own entry") {
    constexpr std::size_t many = format::slots_per_table + 44;
    const Scene scene;
    std::vector<Lease> leases;
    for (std::size_t i = 0; i < many; ++i)
        leases.push_back(put(scene.bucket, "k" + std::to_string(i), std::to_string(i)));
    CHECK(count_entries(scene.root / "participants") == 2);
    value(scene.bucket.refresh());
    const auto report = value(scene.cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.leased.size() == many);
    for (std::size_t i = 0; i < many; i += 2) leases[i].release();
    CHECK(value(scene.cache.collect()).entries == many / 2);
    for (std::size_t i = 1; i < many; i += 2) REQUIRE(content_of(leases[i]) == std::to_string(i));
    leases.clear();
    require_no_leak(scene.root, 0);
}

TEST_CASE("ten thousand leases on one entry: the last one counts") {
    constexpr std::size_t many = 10'000;
    const Scene scene;
    put(scene.bucket, "k", "old");
    std::vector<Lease> leases;
    for (std::size_t i = 0; i < many; ++i) leases.push_back(value(scene.bucket.get("k")));
    CHECK(value(scene.cache.status()).leases.size() == many);
    value(scene.bucket.remove("k"));
    while (leases.size() > 1) leases.pop_back();
    CHECK(value(scene.cache.collect()).entries == 0);
    CHECK(content_of(leases.back()) == "old");
    leases.clear();
    CHECK(value(scene.cache.collect()).entries == 1);
}

TEST_CASE("the tables of a process that ended are adopted by the next: the pool does not grow") {
    const Scene scene;
    put(scene.bucket, "k", "old");
    for (int i = 0; i < 5; ++i) {
        Child child([&](Child&) {
            std::vector<Lease> leases;
            for (std::size_t lease = 0; lease <= format::slots_per_table; ++lease)
                leases.push_back(value(open_bucket(scene.root).get("k")));
        });
        CHECK(child.join() == 0);
    }
    CHECK(count_entries(scene.root / "participants") == 3);
}

// ---- the table ----

namespace {

os::Fd open_table(const fs::path& path) {
    os::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(fd);
    return fd;
}

constexpr off_t slots_at = 4096;

void write_word(const os::Fd& fd, off_t at, format::TableWord word) {
    REQUIRE(::pwrite(fd.get(), &word, sizeof word, at) == sizeof word);
}

}  // namespace

TEST_CASE("a table shows what is stored in its slots, and nothing that was released") {
    const TempDir dir;
    const fs::path path = dir.path() / "0";
    const os::Fd reader = open_table(path);
    {
        const auto table = value(cache::LeaseTable::take(open_table(path), path));
        CHECK(value(cache::read_table(reader, path)).announced);
        CHECK(value(cache::read_table(reader, path)).leases.empty());
        const auto first = table->acquire(), second = table->acquire();
        REQUIRE((first && second));
        const format::Id a = format::fresh_id(), b = format::fresh_id(), c = format::fresh_id();
        REQUIRE_FALSE(table->store(*first, a));
        REQUIRE_FALSE(table->store(*second, b));
        CHECK(value(cache::read_table(reader, path)).leases == std::vector{a, b});
        REQUIRE_FALSE(table->store(*first, c));
        CHECK(value(cache::read_table(reader, path)).leases == std::vector{c, b});
        table->release(*first);
        CHECK(value(cache::read_table(reader, path)).leases == std::vector{b});
        CHECK(table->acquire()->index == first->index);
    }
    CHECK_FALSE(value(cache::read_table(reader, path)).announced);
}

TEST_CASE("a table has as many slots as slots_per_table says") {
    const TempDir dir;
    const fs::path path = dir.path() / "0";
    const auto table = value(cache::LeaseTable::take(open_table(path), path));
    const format::Id id = format::fresh_id();
    for (std::size_t i = 0; i < format::slots_per_table; ++i) {
        const auto slot = table->acquire();
        REQUIRE(slot);
        REQUIRE_FALSE(table->store(*slot, id));
    }
    CHECK_FALSE(table->acquire());
    CHECK(value(cache::read_table(open_table(path), path)).leases.size() ==
          format::slots_per_table);
}

TEST_CASE("a torn slot is read as an id that no entry has, and hides no other slot") {
    const TempDir dir;
    const fs::path path = dir.path() / "0";
    const os::Fd fd = open_table(path);
    const auto table = value(cache::LeaseTable::take(open_table(path), path));
    const format::Id old = format::fresh_id(), fresh{old.high ^ 1, old.low ^ 1},
                     other = format::fresh_id();
    const auto first = table->acquire(), second = table->acquire();
    REQUIRE((first && second));
    REQUIRE_FALSE(table->store(*first, old));
    REQUIRE_FALSE(table->store(*second, other));
    // A reader between the two stores of store(): from an old id, from nothing, and to nothing.
    write_word(fd, slots_at, fresh.high);
    CHECK(value(cache::read_table(fd, path)).leases ==
          std::vector{format::Id{fresh.high, old.low}, other});
    write_word(fd, slots_at + 8, 0);
    CHECK(value(cache::read_table(fd, path)).leases ==
          std::vector{format::Id{fresh.high, 0}, other});
    write_word(fd, slots_at, 0);
    CHECK(value(cache::read_table(fd, path)).leases == std::vector{other});
}

TEST_CASE(
    "a table that is cut off at any length holds no lease; one of another version is refused") {
    const TempDir dir;
    const fs::path path = dir.path() / "0";
    const os::Fd fd = open_table(path);
    {
        const auto table = value(cache::LeaseTable::take(open_table(path), path));
        REQUIRE_FALSE(table->store(*table->acquire(), format::fresh_id()));
    }
    const std::string whole = read_file(path);
    CHECK(value(cache::read_table(fd, path)).leases.size() == 1);
    std::size_t wrong = 0;
    for (std::size_t length = 0; length < whole.size(); ++length) {
        REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(whole.size() - 1 - length)) == 0);
        const auto view = cache::read_table(fd, path);
        if (!view || view->announced || !view->leases.empty()) ++wrong;
    }
    CHECK(wrong == 0);
    write_file(path, whole);
    write_word(fd, 0, 0x3232323232323232U);
    CHECK(outcome(cache::read_table(fd, path)) == "damaged");
    // The slots are read even if no process is announced: one may take the table meanwhile.
    write_word(fd, 0, 0);
    CHECK(value(cache::read_table(fd, path)).leases.size() == 1);
    value(cache::wipe_table(fd, path));
    CHECK(value(cache::read_table(fd, path)).leases.empty());
    CHECK(read_file(path) == std::string(whole.size(), '\0'));
}

TEST_CASE("joins on a full disk add one lease table, and not one each") {
    const Scene scene;
    put(scene.bucket, "k", "text");  // this process has joined, and holds its table
    const Errors full = {{"os.map-table", 1}, {"os.write-table", ENOSPC}};
    for (int joins = 0; joins < 3; ++joins) {
        Child joiner([&](Child& child) {
            fail_at(child, full);
            Child::must(outcome(open_bucket(scene.root).get("k")) == "no_space", "joined");
        });
        CHECK(joiner.join() == 0);
        CHECK(count_entries(scene.root / "participants") == 2);
        CHECK(count_entries(scene.root / "staging") == 2);
    }
    Child joiner([&](Child&) { (void)value(open_bucket(scene.root).get("k")); });
    CHECK(joiner.join() == 0);
    CHECK(count_entries(scene.root / "participants") == 2);
}

#ifdef __linux__
namespace {

/// Leases "k" in a pid namespace of its own, keeps the lease across the exec, and becomes a program
/// that has none of this process's descriptors.
void become_sleep(const fs::path& root) {
    Child::must(::prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "no signal at the parent's death");
    Lease lease = value(open_bucket(root).get("k"));
    Child::must(lease.keep_across_exec());
    for (int fd = 3; fd < 1024; ++fd) (void)::fcntl(fd, F_SETFD, FD_CLOEXEC);
    ::execlp("sleep", "sleep", "3600", nullptr);
}

}  // namespace

TEST_CASE("a collection presumes no process dead that it can find in another pid namespace") {
    const Scene scene;
    put(scene.bucket, "k", "used");
    Child holder([&](Child& child) {
        if (::unshare(CLONE_NEWPID) != 0) return child.say("can't");
        int begun[2];
        Child::must(::pipe2(begun, O_CLOEXEC) == 0, "no pipe");
        if (::fork() == 0) {
            become_sleep(scene.root);
            ::_exit(1);
        }
        ::close(begun[1]);
        char none = 0;
        Child::must(::read(begun[0], &none, 1) == 0, "no program");  // it has closed the other end
        child.say("leased");
        child.hear();
    });
    const std::string said = holder.listen();
    if (said == "can't" || scene.cache.status()->processes.empty()) {
        WARN("SKIPPED: needs root, to make a pid namespace");
        return;
    }
    REQUIRE(said == "leased");
    const fs::path leased = value(scene.bucket.info("k")).path;
    value(scene.bucket.remove("k"));
    CollectOptions presume;
    presume.presume_dead = true;
    for (const CollectOptions& options : {CollectOptions{}, presume}) {
        const auto report = value(scene.cache.collect({}, options));
        CHECK(report.entries == 0);
        CHECK(report.leased.size() == 1);
        CHECK(report.untold == 0);
    }
    CHECK(snapshot(leased).size() == 5);
    holder.kill();
    eventually("the program has ended", [&] { return value(scene.cache.collect()).entries == 1; });
}
#endif
