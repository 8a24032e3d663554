// SPDX-License-Identifier: MIT
// Why larder does not lock with boost::interprocess::file_lock. Each trap is shown on that lock,
// and beside it that os::FileLock does not have it.

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <boost/interprocess/file_mapping.hpp>
#include <boost/interprocess/mapped_region.hpp>
#include <boost/interprocess/sync/file_lock.hpp>
#include <csignal>
#include <map>
#include <optional>

#include "catch.hpp"
#include "os/file_lock.hpp"
#include "os/posix/fd.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;
using os::FileLock;
using os::Mode;

namespace {

namespace bip = boost::interprocess;

/// Locks the whole of an open file, which stays open whatever becomes of this process's memory.
bool locks(int fd) {
    os::Fd file(fd);
    const bool had = Child::must(os::try_lock(file, Mode::exclusive, os::Range::whole(), {}));
    (void)file.release();
    return had;
}

/// Two lock files, one for each kind of lock.
struct Files {
    Files() : dir(value(os::open_dir(temp.path()))) {
        write_file(boosts, "");
        write_file(temp.path() / "larders", "");
    }
    [[nodiscard]] std::optional<FileLock> take(Mode mode = Mode::exclusive) const {
        return value(FileLock::try_lock(dir, "larders", mode));
    }

    TempDir temp;
    os::Dir dir;
    std::string boosts = (temp.path() / "boosts").string();
    std::string larders = (temp.path() / "larders").string();
};

/// Returns true if another process gets the lock.
bool another_gets(const std::function<bool()>& attempt) {
    Child other([&](Child& self) { self.say(attempt() ? "got" : "refused"); });
    const std::string word = other.listen();
    if (other.join() != 0) throw std::runtime_error("the other process failed");
    return word == "got";
}

bool another_gets_boosts(const Files& files) {
    return another_gets([&] { return bip::file_lock(files.boosts.c_str()).try_lock(); });
}

bool another_gets_larders(const Files& files) {
    return another_gets([&] { return files.take().has_value(); });
}

void open_and_close(const std::string& path) { ::close(::open(path.c_str(), O_RDWR)); }

}  // namespace

TEST_CASE("a second object on the same file in one process does not get the lock") {
    const Files files;
    bip::file_lock first(files.boosts.c_str()), second(files.boosts.c_str());
    REQUIRE(first.try_lock());
    CHECK(second.try_lock());  // the trap

    const auto held = files.take();
    REQUIRE(held);
    CHECK_FALSE(files.take());
    CHECK_FALSE(files.take(Mode::shared));
}

TEST_CASE("closing a descriptor of the file does not end the lock") {
    const Files files;
    bip::file_lock first(files.boosts.c_str());
    REQUIRE(first.try_lock());
    CHECK_FALSE(another_gets_boosts(files));
    open_and_close(files.boosts);
    CHECK(another_gets_boosts(files));  // the trap

    const auto held = files.take();
    REQUIRE(held);
    open_and_close(files.larders);
    CHECK_FALSE(another_gets_larders(files));
}

TEST_CASE("a vain attempt by another object does not end the lock") {
    const Files files;
    bip::file_lock first(files.boosts.c_str());
    REQUIRE(first.try_lock());
    { bip::file_lock second(files.boosts.c_str()); }
    CHECK(another_gets_boosts(files));  // the trap: the second object's descriptor was closed

    const auto held = files.take();
    REQUIRE(held);
    CHECK_FALSE(files.take());
    CHECK(value(os::look_at(files.dir, "larders")) == os::State::taken);
    CHECK_FALSE(another_gets_larders(files));
}

TEST_CASE("mapping and unmapping the file does not end the lock") {
    const Files files;
    write_file(files.boosts, "bytes");
    write_file(files.larders, "bytes");
    bip::file_lock first(files.boosts.c_str());
    REQUIRE(first.try_lock());
    {
        bip::mapped_region region(bip::file_mapping(files.boosts.c_str(), bip::read_only),
                                  bip::read_only);
    }
    CHECK(another_gets_boosts(files));  // the trap

    const auto held = files.take();
    REQUIRE(held);
    {
        bip::mapped_region region(bip::file_mapping(files.larders.c_str(), bip::read_only),
                                  bip::read_only);
    }
    CHECK_FALSE(another_gets_larders(files));
}

TEST_CASE("the other sharer keeps the lock when the first one unlocks") {
    const Files files;
    bip::file_lock first(files.boosts.c_str()), second(files.boosts.c_str());
    REQUIRE(first.try_lock_sharable());
    REQUIRE(second.try_lock_sharable());
    second.unlock_sharable();
    CHECK(another_gets_boosts(files));  // the trap

    const auto held = files.take(Mode::shared);
    auto other = files.take(Mode::shared);
    REQUIRE((held && other));
    other.reset();
    CHECK_FALSE(another_gets_larders(files));
}

namespace {

/// Returns the inodes of the lock files by name: a file that was unlinked and made anew has another
/// one.
std::map<std::string, ino_t> lock_files(const fs::path& root) {
    std::map<std::string, ino_t> files;
    const auto add = [&](const fs::path& path) {
        struct stat status {};
        if (::stat(path.c_str(), &status) == 0) files[path.string()] = status.st_ino;
    };
    add(root / "locks");
    for (const auto& entry : fs::directory_iterator(root / "participants")) add(entry.path());
    return files;
}

}  // namespace

TEST_CASE("unlinking a lock file admits a second owner, so larder never unlinks one") {
    const Files files;
    bip::file_lock first(files.boosts.c_str());
    REQUIRE(first.try_lock());
    fs::remove(files.boosts);
    write_file(files.boosts, "");
    CHECK(another_gets_boosts(files));  // the trap
    const auto held = files.take();
    fs::remove(files.larders);
    CHECK(another_gets_larders(files));  // every kind of lock has this trap

    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child all([&](Child&) {
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        put(bucket, "k", "one");
        put(bucket, "k", "two");
        (void)value(bucket.get_or_build("built", [](Staging&) -> Result<> { return {}; }));
        value(bucket.remove("k"));
        (void)value(cache.collect());
    });
    REQUIRE(all.join() == 0);
    const auto before = lock_files(root);
    REQUIRE(before.size() >= 2);  // the file of the locks, and a participant
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "three");
    put(bucket, "k", "four");
    value(bucket.remove("k"));
    value(bucket.refresh());
    (void)value(cache.collect());
    VerifyOptions repair;
    repair.repair = true;
    (void)value(cache.verify(repair));
    const auto after = lock_files(root);
    for (const auto& [path, inode] : before) {
        INFO(path);
        CHECK(after.count(path) == 1);
        if (after.count(path) == 1) CHECK(after.at(path) == inode);
    }
}

TEST_CASE("a forked child owns no lock, and knows it") {
    const Files files;
    bip::file_lock first(files.boosts.c_str());
    REQUIRE(first.try_lock());
    // The trap: the child's object was locked when it was copied, and does not even have the lock.
    CHECK_FALSE(another_gets([&] { return first.try_lock(); }));

    auto held = files.take();
    REQUIRE(held);
    Child child([&](Child&) {
        { const auto inherited = std::move(held); }  // must release nothing
        Child::must(!files.take(), "the child got what its parent holds");
    });
    REQUIRE(child.join() == 0);
    CHECK_FALSE(another_gets_larders(files));
    held.reset();
    CHECK(another_gets_larders(files));
}

TEST_CASE("a forked child that outlives its parent does not keep the parent's lock") {
    const Files files;
    // A process that holds a lock is killed while its child lives. The child speaks and listens
    // instead of it.
    const auto holder = [&](const std::function<void()>& take) {
        return [&, take](Child& self) {
            take();
            Child grandchild([&](Child&) {
                self.say("grandchild");
                self.hear();
            });
            ::pause();
        };
    };
    {
        // This would be the trap of a lock that belongs to an open file, if FileLock did nothing at
        // a fork.
        int fd = -1;
        Child parent(holder([&] {
            fd = ::open(files.larders.c_str(), O_RDWR | O_CLOEXEC);
            Child::must(locks(fd), "refused");
        }));
        parent.wait_for("grandchild");
        parent.kill();
        CHECK_FALSE(files.take());
        parent.go_on();
        eventually("the grandchild ends", [&] { return files.take().has_value(); });
    }
    std::optional<FileLock> held;
    Child parent(holder([&] {
        held = files.take();
        Child::must(held.has_value(), "refused");
    }));
    parent.wait_for("grandchild");
    CHECK_FALSE(files.take());
    parent.kill();
    CHECK(files.take());
    parent.go_on();
}

TEST_CASE("a released lock is free, even if a child has not closed its descriptor yet",
          "[not-qemu]") {
    const Files files;
    auto held = files.take();
    REQUIRE(held);
    // This child has all descriptors and has run no handler, like any forked child in its first
    // instant, and any that is about to exec.
    const auto child = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (child == 0) {
        for (;;) ::pause();
    }
    REQUIRE(child > 0);
    held.reset();
    CHECK(files.take());
    ::kill(child, SIGKILL);
    REQUIRE(::waitpid(child, nullptr, 0) == child);
}

TEST_CASE("after execve the same process does not get a lock that it holds already", "[not-qemu]") {
    const Files files;
    const auto answer_after_exec = [&](const std::function<void()>& take,
                                       const std::vector<std::string>& arguments) {
        Program program;
        Child child([&](Child&) {
            take();
            program.become(arguments);
        });
        std::string answer = "got";
        try {
            program.wait_for("got");
        } catch (const std::runtime_error&) {
            answer = "refused";
        }
        CHECK(child.join() == 0);
        return answer;
    };
    std::optional<bip::file_lock> first;
    CHECK(answer_after_exec(
              [&] {
                  first.emplace(files.boosts.c_str());
                  Child::must(first->try_lock(), "refused");
              },
              {LOCK_TESTS_PROGRAM, "try-file-lock", files.boosts}) ==
          "got");  // the trap: this very process still holds the lock

    // The only lock that larder hands on across an execve is a participant's.
    int fd = -1;
    CHECK(answer_after_exec(
              [&] {
                  fd = ::open(files.larders.c_str(), O_RDWR);
                  Child::must(locks(fd), "refused");
              },
              {LOCK_TESTS_PROGRAM, "try-lock", files.temp.path().string(), "larders"}) ==
          "refused");

    // All others end there: the program does not inherit them.
    std::optional<FileLock> held;
    CHECK(answer_after_exec(
              [&] { held = files.take(); },
              {LOCK_TESTS_PROGRAM, "try-lock", files.temp.path().string(), "larders"}) == "got");
}
