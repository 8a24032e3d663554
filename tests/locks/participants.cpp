// SPDX-License-Identifier: MIT
// Participants: one for each process, adopted from a dead one, and alive while its process is.

#include <fcntl.h>
#include <sys/wait.h>

#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <string_view>
#include <thread>

#include "cache/root.hpp"
#include "catch.hpp"
#include "format/layout.hpp"
#include "os/file_lock.hpp"
#include "os/file_system.hpp"
#include "os/process.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Returns the numbers of the participants that name this process.
std::vector<std::uint32_t> numbers_of(const Cache& cache, pid_t pid) {
    std::vector<std::uint32_t> numbers;
    for (const auto& process : value(cache.status()).processes) {
        if (process.pid == pid && process.alive) numbers.push_back(process.participant);
    }
    return numbers;
}

std::size_t living(const Cache& cache) {
    std::size_t count = 0;
    for (const auto& process : value(cache.status()).processes) count += process.alive ? 1 : 0;
    return count;
}

std::size_t staged_by(const fs::path& root, std::uint32_t participant) {
    return count_entries(root / "staging" / std::to_string(participant));
}

/// Makes this process join now, and not when it first needs to.
void join(const Cache& cache) { (void)value(value(cache.bucket("b")).stage()); }

/// Joins the cache in a process that leaves a staged tree when it is killed.
void stage_and_wait(Child& self, const fs::path& root) {
    const Cache cache = open_cache(root);
    const Staging staging = value(value(cache.bucket("b")).stage());
    fill(staging.path(), "half");
    self.say("staged");
    self.hear();
}

}  // namespace

TEST_CASE("a dead participant's table is adopted, and its staging area reaped first") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child first([&](Child& self) { stage_and_wait(self, root); });
    first.wait_for("staged");
    CHECK(staged_by(root, 0) == 1);
    first.kill();
    CHECK(staged_by(root, 0) == 1);

    // This is another process, so it may begin to look at another place. The pool has one table,
    // which is free.
    Child second([&](Child& self) { stage_and_wait(self, root); });
    second.wait_for("staged");
    CHECK(count_entries(root / "participants") == 1);
    CHECK(staged_by(root, 0) == 1);
    CHECK(count_entries(root / "retired" / "links") == 1);
    const Cache cache = open_cache(root);
    CHECK(numbers_of(cache, second.pid()) == std::vector<std::uint32_t>{0});
    second.kill();
    REQUIRE_NOTHROW(require_no_leak(root, 0));
}

TEST_CASE("a living participant's table is not adopted, and its staging area is not reaped") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child first([&](Child& self) { stage_and_wait(self, root); });
    first.wait_for("staged");
    Child second([&](Child& self) { stage_and_wait(self, root); });
    second.wait_for("staged");
    const Cache cache = open_cache(root);
    join(cache);
    CHECK(value(cache.collect()).reaped == 0);
    CHECK(count_entries(root / "participants") == 3);
    CHECK(numbers_of(cache, first.pid()) == std::vector<std::uint32_t>{0});
    CHECK(numbers_of(cache, second.pid()) == std::vector<std::uint32_t>{1});
    for (const std::uint32_t number : {0U, 1U}) CHECK(staged_by(root, number) == 1);
    second.kill();
    CHECK(value(cache.collect()).reaped == 1);
    CHECK(staged_by(root, 0) == 1);
    CHECK(staged_by(root, 1) == 0);
}

TEST_CASE("an adoption ends the leases of a dead process alone") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child dead([&](Child& self) {
        const Lease lease = put(value(open_cache(root).bucket("b")), "k", "old");
        self.say("leased");
        self.hear();
    });
    dead.wait_for("leased");
    const Cache cache = open_cache(root);
    value(value(cache.bucket("b")).refresh());
    CHECK(value(cache.collect()).leased.size() == 1);
    join(cache);
    dead.kill();
    // The table is adopted and used at once. No lease of the predecessor is left.
    Child adopter([&](Child& self) {
        const Lease lease = put(value(open_cache(root).bucket("b")), "other", "new");
        self.say("adopted");
        self.hear();
    });
    adopter.wait_for("adopted");
    CHECK(numbers_of(cache, adopter.pid()) == std::vector<std::uint32_t>{0});
    const auto report = value(cache.collect());
    CHECK(report.leased.empty());
    CHECK(report.entries == 1);
}

TEST_CASE(
    "a process that closes its cache is not listed any more; a killed one is listed as dead until "
    "it is reaped") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    join(cache);
    Child leaving([&](Child&) { put(value(open_cache(root).bucket("b")), "k", "new"); });
    REQUIRE(leaving.join() == 0);
    CHECK(value(cache.status()).processes.size() == 1);  // this process
    Child killed([&](Child& self) { stage_and_wait(self, root); });
    killed.wait_for("staged");
    killed.kill();
    CHECK(value(cache.status()).processes.size() == 2);
    CHECK(living(cache) == 1);
    CHECK(value(cache.collect()).reaped == 1);
    CHECK(value(cache.status()).processes.size() == 1);
}

TEST_CASE("dead or alive: what a header says of a pid that runs, whose lock is free") {
    enum Life { alive, dead, untold };
    const auto none = [](format::TableHeaderBytes&) {};
    const auto other_boot = [](format::TableHeaderBytes& header) { header.boot[0] ^= 1; };
    const auto other_namespace = [](format::TableHeaderBytes& header) {
        header.pid_namespace ^= 1;
    };
    struct Row {
        const char* what;
        std::function<void(format::TableHeaderBytes&)> change;
        std::uint32_t flags;
        Life life;
    };
    using format::flag_boot_is_real, format::flag_lock_tells;
    const Row rows[] = {
        {"this very process, which has closed its descriptors", none, 0, alive},
        {"the same, and the lock tells: it has become another program", none, flag_lock_tells,
         alive},
        {"a process of an earlier boot", other_boot, flag_boot_is_real, dead},
        {"a process whose container has a boot id of its own", other_boot, 0, alive},
        {"a process whose pid has been given to another", [](auto& header) { header.start += 1; },
         0, dead},
        {"a process whose time namespace shifts its start by ten days",
         [](auto& header) {
             header.start += std::uint64_t{100} * 864'000;
             header.clock_offset += std::int64_t{1'000'000'000} * 864'000;
         },
         0, alive},
        {"the same, and it did not start when the process of this pid did",
         [](auto& header) {
             header.start += std::uint64_t{100} * 864'000 + 3;
             header.clock_offset += std::int64_t{1'000'000'000} * 864'000;
         },
         0, dead},
        {"a process of another pid namespace, and the lock tells", other_namespace, flag_lock_tells,
         dead},
        {"a process of another pid namespace, which may have closed its descriptors",
         other_namespace, 0, untold},
        {"the same, and its container has a boot id of its own",
         [&](auto& header) { other_namespace(header), other_boot(header); }, 0, untold},
        {"a process that did not know its pid namespace, and neither its start",
         [](auto& header) { header.pid_namespace = header.start = 0; }, 0, untold},
        {"a process of another cache, whose table was copied here",
         [](auto& header) { header.file += 1; }, 0, dead},
    };
    const TempDir temporary;
    if (!os::traits_of(value(os::open_dir(temporary.path())).handle).maps_keep_locks) {
        WARN("SKIPPED: needs a file system on which a mapping keeps locks, such as ext4 or tmpfs");
        return;
    }
    os::set_point_hook(
        [](const char* name) { return std::string_view(name) == "os.all-processes" ? 1 : 0; });
    for (const Row& row : rows) {
        INFO(row.what);
        const TempDir dir;
        const fs::path root = dir.path() / "cache";
        const Cache cache = open_cache(root);
        Child leaving([&](Child& self) {
            const Lease lease = put(value(open_cache(root).bucket("b")), "k", "old");
            self.say("leased");
            self.hear();
        });
        leaving.wait_for("leased");
        leaving.kill();
        value(value(cache.bucket("b")).refresh());
        {
            std::fstream file(root / "participants" / "0",
                              std::ios::in | std::ios::out | std::ios::binary);
            format::TableHeaderBytes header{};
            file.read(reinterpret_cast<char*>(&header), sizeof header);
            const auto self = os::this_process();
            header.boot = self.boot;
            header.pid_namespace = self.pid_namespace;
            header.start = self.start;
            header.clock_offset = self.clock_offset;
            header.pid = static_cast<std::uint64_t>(self.pid);
            header.flags = row.flags;
            row.change(header);
            file.seekp(0);
            file.write(reinterpret_cast<const char*>(&header), sizeof header);
        }

        const auto status = value(cache.status());
        REQUIRE(status.processes.size() == 1);
        CHECK(status.processes[0].alive == (row.life != dead));
        CHECK(status.processes[0].untold == (row.life == untold));
        const auto report = value(cache.collect());
        CHECK(report.reaped == (row.life == dead ? 1 : 0));
        CHECK(report.untold == (row.life == untold ? 1 : 0));
        CHECK(report.entries == (row.life == dead ? 1 : 0));
        REQUIRE(report.leased.size() == (row.life == dead ? 0 : 1));
        if (row.life == dead) continue;
        CHECK(report.leased[0].process.untold == (row.life == untold));
        // What can't be told ends when a collection presumes it. What is certain does not.
        const CollectOptions dry{.dry_run = true, .presume_dead = true},
            presume{.presume_dead = true};
        CHECK(value(cache.collect({}, dry)).entries == (row.life == untold ? 1 : 0));
        const auto last = value(cache.collect({}, presume));
        CHECK(last.reaped == (row.life == untold ? 1 : 0));
        CHECK(last.untold == 0);
        CHECK(last.entries == (row.life == untold ? 1 : 0));
    }
    os::set_point_hook({});
}

TEST_CASE(
    "a table belongs to its reaper until it has reaped: a process that joins meanwhile takes "
    "another") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    (void)open_cache(root);
    Child killed([&](Child& self) { stage_and_wait(self, root); });
    killed.wait_for("staged");
    killed.kill();
    for (const std::string point : {"reap.locked", "reap.emptied"}) {
        INFO("held at " << point);
        Child reaper([&](Child&) { (void)value(open_cache(root).collect()); }, {{point}, {}});
        reaper.wait_for(point);
        Child joining([&](Child& self) {
            const Lease lease = put(value(open_cache(root).bucket("b")), "k", "new");
            self.say("leased");
            self.hear();
        });
        joining.wait_for("leased");
        reaper.go_on();
        CHECK(reaper.join() == 0);
        const Cache cache = open_cache(root);
        CHECK(numbers_of(cache, joining.pid()).size() == 1);
        value(value(cache.bucket("b")).refresh());
        CHECK(value(cache.collect()).leased.size() == 1);
        joining.kill();  // it is the dead process of the next round
    }
}

TEST_CASE("a zombie is dead") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Child child([&](Child& self) {
        const Lease lease = put(value(open_cache(root).bucket("b")), "k", "old");
        self.say("leased");
        self.hear();
    });
    child.wait_for("leased");
    const Cache cache = open_cache(root);
    join(cache);
    ::kill(child.pid(), SIGKILL);
    siginfo_t ignored{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(child.pid()), &ignored, WEXITED | WNOWAIT) ==
            0);  // it has ended, and its pid still exists
    value(value(cache.bucket("b")).refresh());
    CHECK(living(cache) == 1);  // this process
    const auto report = value(cache.collect());
    CHECK(report.reaped == 1);
    CHECK(report.entries == 1);
    CHECK(child.join() == 128 + SIGKILL);
}

TEST_CASE("a process whose first thread has ended still runs") {
    Child child(run_without_first_thread);
    const os::ProcessIdentity identity = without_first_thread(child);
    CHECK(os::is_running(identity) == os::Running::yes);
    child.go_on();
    CHECK(child.join() == 0);
    CHECK(os::is_running(identity) == os::Running::no);
}

TEST_CASE("what a process did not know about itself is no sign of its death") {
    const os::ProcessIdentity whole = os::this_process();
    os::ProcessIdentity no_boot = whole, no_namespace = whole, nothing = whole;
    no_boot.boot = nothing.boot = {};
    no_namespace.pid_namespace = nothing.pid_namespace = 0;
    nothing.start = 0;
    for (const auto& identity : {no_boot, no_namespace})
        CHECK(os::is_running(identity) == os::Running::yes);
    // Its pid may be one of another namespace, and then belongs to another process here.
    CHECK(os::is_running(nothing) == os::Running::unknown);
    os::ProcessIdentity ended = nothing;
    ended.pid = 1 << 30;  // no process has it
    CHECK(os::is_running(ended) == os::Running::unknown);

    os::ProcessIdentity other = no_namespace;
    other.boot[0] ^= 1;
    CHECK(os::is_running(other) == os::Running::no);
    other.boot_is_real = false;
    CHECK(os::is_running(other) == os::Running::yes);
    other = no_boot;
    other.pid_namespace ^= 1;
    CHECK(os::is_running(other) == os::Running::unknown);
    other = no_boot;
    other.start += 1;
    CHECK(os::is_running(other) == os::Running::no);
}

TEST_CASE(
    "among a thousand participants the living ones are listed, and a free one is found at once") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    for (std::uint32_t i = 0; i < 1000; ++i)
        write_file(root / "participants" / format::participant_name(i), "");
    std::vector<std::unique_ptr<Child>> children;
    for (int i = 0; i < 3; ++i) {
        children.push_back(
            std::make_unique<Child>([&](Child& self) { stage_and_wait(self, root); }));
        children.back()->wait_for("staged");
    }
    CHECK(count_entries(root / "participants") == 1000);
    CHECK(living(cache) == 3);
    for (const auto& child : children) {
        const auto numbers = numbers_of(cache, child->pid());
        REQUIRE(numbers.size() == 1);
        // A search begins at the pid, so that processes do not all try the first tables. The three
        // processes took at most the next three tables.
        const auto distance =
            (numbers[0] + 1000 - static_cast<std::uint32_t>(child->pid()) % 1000) % 1000;
        CHECK(distance < 3);
    }
    put(value(cache.bucket("b")), "k", "new");
    CHECK(living(cache) == 4);
    CHECK(value(cache.collect()).reaped == 0);
    for (const auto& child : children) child->kill();
    CHECK(living(cache) == 1);
    CHECK(value(cache.collect()).reaped == 3);
}

TEST_CASE("if all participants are taken, one more is made") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const os::Dir participants = value(os::open_dir(root / "participants"));
    std::vector<os::FileLock> taken;
    for (std::uint32_t i = 0; i < 20; ++i) {
        auto held = value(
            os::FileLock::try_lock(participants, format::participant_name(i), os::Mode::exclusive));
        REQUIRE(held);
        taken.push_back(std::move(*held));
    }
    const Lease lease = put(value(cache.bucket("b")), "k", "new");
    CHECK(count_entries(root / "participants") == 21);
    CHECK(numbers_of(cache, ::getpid()) == std::vector<std::uint32_t>{20});
}

TEST_CASE(
    "a slot that was released is taken again, in whichever table it is, before one is added") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    put(bucket, "k", "content");
    const auto tables = [&] { return count_entries(root / "participants"); };
    std::vector<std::optional<Lease>> leases(5 * format::slots_per_table);
    for (auto& lease : leases) lease.emplace(value(bucket.get("k")));
    REQUIRE(tables() == 5);
    // Every seventh slot becomes free, in an order that goes to and fro between the tables.
    std::size_t freed = 0;
    for (std::size_t i = 0; i < leases.size(); i += 7, ++freed)
        leases[i * 59 % leases.size()].reset();
    std::vector<Lease> again;
    for (std::size_t i = 0; i < freed; ++i) again.push_back(value(bucket.get("k")));
    CHECK(tables() == 5);
    const Lease one_more = value(bucket.get("k"));
    CHECK(tables() == 6);
    // Several threads at once lose no slot either.
    for (auto& lease : leases) lease.reset();
    again.clear();
    for (int round = 0; round < 20; ++round) {
        std::vector<std::vector<Lease>> taken(4);
        std::vector<std::thread> threads;
        for (auto& mine : taken) {
            threads.emplace_back([&] {
                while (mine.size() < format::slots_per_table)
                    mine.push_back(value(bucket.get("k")));
                if (round % 2 == 0) mine.clear();
            });
        }
        for (auto& thread : threads) thread.join();
    }
    CHECK(tables() == 6);
}

TEST_CASE("a stopped process keeps its lease while others refresh and collect") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    put(value(open_cache(root).bucket("b")), "k", "old");
    Child child([&](Child& self) {
        const Lease lease = value(value(open_cache(root).bucket("b")).get("k"));
        self.say(lease.path().string());
        self.hear();
        Child::must(content_of(lease) == "old", "the leased files have changed");
    });
    const fs::path leased = child.listen();
    child.stop();
    const auto before = snapshot(leased);
    REQUIRE(before.size() == 5);
    const Cache cache = open_cache(root);
    const Bucket bucket = value(cache.bucket("b"));
    for (const std::string content : {"newer", "newest"}) {
        put(bucket, "k", content);
        value(bucket.refresh());
        (void)value(cache.collect());
        CHECK(snapshot(leased) == before);
        CHECK(content_of(bucket, "k").empty());
    }
    CHECK(count_entries(root / "archive") == 1);
    child.resume();
    child.go_on();
    CHECK(child.join() == 0);
    CHECK(value(cache.collect()).entries == 1);
    REQUIRE_NOTHROW(require_no_leak(root, 0));
}

TEST_CASE("a process that has opened a table which loses its name meanwhile takes another one") {
    // Another file may get the name, and the first one may have another name.
    for (const bool is_replaced : {false, true}) {
        INFO(is_replaced);
        const TempDir dir;
        const fs::path root = dir.path() / "cache", table = root / "participants" / "0";
        const Cache cache = open_cache(root);
        Child first([&](Child& self) { stage_and_wait(self, root); });
        first.wait_for("staged");
        first.kill();
        {
            const auto participants = os::open_dir(root / "participants");
            if (!os::traits_of(participants->handle).has_fixed_numbers) {
                WARN("SKIPPED: needs a file system that gives a file one number for its life");
                return;
            }
        }
        Child joiner([&](Child& self) { stage_and_wait(self, root); }, {{"adopt.opened"}, {}});
        joiner.wait_for("adopt.opened");
        if (is_replaced) fs::create_hard_link(table, dir.path() / "elsewhere");
        fs::remove(table);
        if (is_replaced) std::ofstream{table};
        std::string said;
        do {
            joiner.go_on();
            said = joiner.listen();
        } while (said == "adopt.opened");
        CHECK(said == "staged");
        // Others see it.
        CHECK(numbers_of(cache, joiner.pid()).size() == 1);
        joiner.kill();
    }
}
