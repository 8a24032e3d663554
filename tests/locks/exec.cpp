// SPDX-License-Identifier: MIT
// execve: a process that becomes another program while it holds a lease.

#include <csignal>

#include "catch.hpp"
#include "os/file_lock.hpp"
#include "support.hpp"

using namespace larder;
using namespace larder::testing;

namespace {

/// Leases "k", keeps the lease across the exec, and becomes the program.
std::function<void(Child&)> become(const fs::path& root, Program& program,
                                   const std::vector<std::string>& arguments) {
    return [&root, &program, arguments](Child&) {
        const Cache cache = open_cache(root);
        Lease lease = put(value(cache.bucket("b")), "k", "old");
        value(lease.keep_across_exec());
        program.become(arguments);
    };
}

/// Requires that the one lease on "k" holds, whatever any process runs, until the process ends.
/// Then nothing may be left.
void check_leased_until_it_ends(const fs::path& root, Child& child,
                                const std::function<void()>& end) {
    {
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        const fs::path leased = value(bucket.info("k")).path;
        const auto before = snapshot(leased);
        REQUIRE(before.size() == 5);
        put(value(cache.bucket("b")), "k",
            "new");  // this adopts a table, and not the one with the lease of the process
        value(bucket.refresh());
        for (int round = 0; round < 2; ++round) {
            const auto report = value(cache.collect());
            CHECK(report.entries == (round == 0 ? 1 : 0));
            REQUIRE(report.leased.size() == 1);
            CHECK(report.leased[0].process.pid == child.pid());
            CHECK(report.leased[0].process.alive);
            CHECK(report.reaped == 0);
        }
        CHECK(snapshot(leased) == before);
        end();
        const auto report = value(cache.collect());
        CHECK(report.entries == 1);
        CHECK(report.leased.empty());
    }
    REQUIRE_NOTHROW(require_no_leak(root, count_entries(root / "archive")));
}

}  // namespace

TEST_CASE("a lease is kept across an execve, until the program ends") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Program program;
    Child child(become(root, program, {"/bin/sh", "-c", "echo ready; read x"}));
    program.wait_for("ready");
    check_leased_until_it_ends(root, child, [&] {
        program.go_on();
        CHECK(child.join() == 0);
    });
}

TEST_CASE("a lease is kept across an execve by a program that is killed") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Program program;
    Child child(become(root, program, {"/bin/sh", "-c", "echo ready; read x"}));
    program.wait_for("ready");
    check_leased_until_it_ends(root, child, [&] { child.kill(); });
}

TEST_CASE("a lease is kept across an execve by a program that uses the same cache", "[not-qemu]") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Program program;
    Child child(become(root, program, {LOCK_TESTS_PROGRAM, "use", root.string()}));
    program.wait_for("ready");
    {
        // It is two participants now, under one pid: the one that it inherited, and the one that it
        // joined as.
        const auto status = value(open_cache(root).status());
        REQUIRE(status.processes.size() == 2);
        for (const auto& process : status.processes) CHECK(process.pid == child.pid());
    }
    // Its own lease is on what it published, which is not retired.
    check_leased_until_it_ends(root, child, [&] {
        program.go_on();
        CHECK(child.join() == 0);
    });
    CHECK(value(open_cache(root).bucket("programs")).get("k").has_value());
}

TEST_CASE("a lease is kept across an execve by a program that closes every descriptor",
          "[not-qemu]") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Program program;
    Child child(become(root, program, {LOCK_TESTS_PROGRAM, "close-all"}));
    program.wait_for("ready");
    check_leased_until_it_ends(root, child, [&] {
        program.go_on();
        CHECK(child.join() == 0);
    });
}

TEST_CASE("the children to which a program hands the descriptor keep the lease", "[not-qemu]") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Program program;
    Child child(become(root, program, {LOCK_TESTS_PROGRAM, "leave-child"}));
    program.wait_for("ready");
    REQUIRE(child.join() == 0);
    const Cache cache = open_cache(root);
    value(value(cache.bucket("b")).refresh());
    const auto report = value(cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.leased.size() == 1);
    program.go_on();
    eventually("the last of them has ended", [&] { return value(cache.collect()).entries == 1; });
    REQUIRE_NOTHROW(require_no_leak(root, 0));
}

TEST_CASE("locks end at an execve, and what was staged ends with the process", "[not-qemu]") {
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    put(value(open_cache(root).bucket("b")), "doomed", "old");
    Program program;
    Child child([&](Child&) {
        const Cache cache = open_cache(root);
        HeldThread thread("publish.locked", [&] { put(value(cache.bucket("b")), "k", "new"); });
        program.become({LOCK_TESTS_PROGRAM, "close-all"});
    });
    program.wait_for("ready");
    CHECK(value(open_cache(root, impatient()).bucket("b")).remove("doomed").has_value());
    program.go_on();
    CHECK(child.join() == 0);
    REQUIRE_NOTHROW(require_no_leak(root, 0));
}

TEST_CASE("all leases of a cache are kept across an execve, in however many tables they are") {
    constexpr int count = 600;  // a table has 256 slots
    const TempDir dir;
    const fs::path root = dir.path() / "cache";
    Program program;
    Child child([&](Child&) {
        const Cache cache = open_cache(root);
        const Bucket bucket = value(cache.bucket("b"));
        std::vector<Lease> leases;
        leases.push_back(put(bucket, "k0", "old"));
        const auto lease_more = [&](int end) {
            for (int i = static_cast<int>(leases.size()); i < end; ++i)
                leases.push_back(put(bucket, "k" + std::to_string(i), "old"));
        };
        lease_more(count / 2);
        value(leases.front().keep_across_exec());
        lease_more(count);
        // No destructor runs: the process leases all of them when it becomes the program.
        program.become({"/bin/sh", "-c", "echo ready; read x"});
    });
    program.wait_for("ready");
    {
        // A collector that can't see the process takes a lease for ended if no lock says otherwise.
        const auto participants = value(os::open_dir(root / "participants"));
        int locked = 0;
        for (const auto& entry : fs::directory_iterator(root / "participants")) {
            const auto name = entry.path().filename().string();
            const auto state = value(os::look_at(participants, name));
            locked += state == os::State::taken ? 1 : 0;
        }
        CHECK(locked == 3);
    }
    const Cache cache = open_cache(root);
    value(value(cache.bucket("b")).refresh());
    const auto report = value(cache.collect());
    CHECK(report.entries == 0);
    CHECK(report.leased.size() == count);
    program.go_on();
    CHECK(child.join() == 0);
    CHECK(value(cache.collect()).entries == count);
}
