// SPDX-License-Identifier: MIT
// Lease tables: what other processes read in a table that is whole, cut off or changed. A reader
// must not invent a lease. It must refuse a table that it does not understand, since nothing may be
// collected then.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "cache/lease_table.hpp"
#include "catch.hpp"
#include "os/file_system.hpp"
#include "os/posix/fd.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::testing;
using cache::LeaseTable;
using cache::read_table;
using format::TableView;

namespace {

constexpr std::size_t table_size = 16384, header_size = 512, slots_at = 4096;
constexpr format::Id first{0x1111'2222'3333'4444, 0x5555'6666'7777'8888}, second{1, 2};

os::Fd open_file(const fs::path& path) {
    os::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    REQUIRE(fd);
    return fd;
}

Result<TableView> read_bytes(const fs::path& path, const std::string& bytes) {
    write_file(path, bytes);
    return read_table(open_file(path), path);
}

/// Returns the bytes of a table that this process has, with two leases and two activities.
std::string sample(const fs::path& path) {
    const auto table = value(LeaseTable::take(open_file(path), path));
    const auto one = table->acquire(), two = table->acquire();
    REQUIRE_FALSE(table->store(*one, first));
    REQUIRE_FALSE(table->store(*two, second));
    REQUIRE(table->begin_activity({77, format::ActivityView::Kind::waits, "bucket b", 1}));
    REQUIRE(table->begin_activity({78, format::ActivityView::Kind::holds,
                                   "a label that is much longer than the room for it", 2}));
    return read_file(path);
}

bool leases(const TableView& view, const format::Id& id) {
    return std::count(view.leases.begin(), view.leases.end(), id) == 1;
}

}  // namespace

TEST_CASE("a table tells its process, its leases, and what the process waits for") {
    const TempDir dir;
    const auto view = value(read_bytes(dir.path() / "copy", sample(dir.path() / "table")));
    CHECK(view.announced);
    CHECK(view.process.pid == ::getpid());
    CHECK(os::is_running(view.process) == os::Running::yes);
    CHECK(view.lock_tells == os::traits_of(open_file(dir.path() / "table")).maps_keep_locks);
    CHECK(view.process.boot_is_real);
    CHECK_FALSE(view.command.empty());
    CHECK(view.leases == std::vector<format::Id>{first, second});
    REQUIRE(view.activities.size() == 2);
    CHECK(view.activities[0].lock == 77);
    CHECK(view.activities[0].kind == format::ActivityView::Kind::waits);
    CHECK(view.activities[0].label == "bucket b");
    CHECK(view.activities[1].lock == 78);
    CHECK(view.activities[1].kind == format::ActivityView::Kind::holds);
    CHECK(view.activities[1].label == "a label that is much longer tha");
}

TEST_CASE("the numbers in a table are little-endian, on every machine") {
    const TempDir dir;
    const std::string bytes = sample(dir.path() / "table");
    const auto at = [&](std::size_t offset, std::size_t size) {
        return bytes.substr(offset, size);
    };
    using namespace std::string_literals;
    CHECK(at(0, 8) == "lardtbl2");
    CHECK((at(8, 1)[0] & 2) != 0);  // the flag that says that the boot id is the machine's own
    CHECK(at(9, 7) == std::string(7, '\0'));
    CHECK(at(52, 4) == std::string(4, '\0'));  // no pid needs more than four bytes
    CHECK(at(header_size, 16) == "\x4d\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0"s);
    CHECK(at(slots_at, 16) == "\x44\x44\x33\x33\x22\x22\x11\x11\x88\x88\x77\x77\x66\x66\x55\x55");
    CHECK(at(slots_at + 16, 16) == "\1\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0"s);
}

TEST_CASE(
    "a table is allocated and not sparse: a full disk is an error when it is taken, not a signal "
    "later") {
    const TempDir dir;
    const fs::path path = dir.path() / "table";
    const auto table = value(LeaseTable::take(open_file(path), path));
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    CHECK(static_cast<std::size_t>(status.st_size) == table_size);
    CHECK(static_cast<std::size_t>(status.st_blocks) * 512 >= table_size);
}

TEST_CASE("a table that is cut off at any length has no lease and no owner") {
    const TempDir dir;
    const fs::path path = dir.path() / "copy";
    const std::string whole = sample(dir.path() / "table");
    REQUIRE(whole.size() == table_size);
    write_file(path, whole);
    const os::Fd fd = open_file(path);
    for (std::size_t length = table_size; length-- > 0;) {
        REQUIRE(::ftruncate(fd.get(), static_cast<off_t>(length)) == 0);
        const auto view = read_table(fd, path);
        if (view && (view->announced || !view->leases.empty() || !view->activities.empty()))
            FAIL_CHECK("something in " << length << " bytes");
    }
}

TEST_CASE("a table in which any byte has changed is refused, or its other leases are seen") {
    const TempDir dir;
    const fs::path path = dir.path() / "copy";
    const std::string whole = sample(dir.path() / "table");
    write_file(path, whole);
    const os::Fd fd = open_file(path);
    for (std::size_t at = 0; at < table_size; ++at) {
        for (const int flip : {0x01, 0x80, 0xff}) {
            const char changed = static_cast<char>(whole[at] ^ flip);
            REQUIRE(::pwrite(fd.get(), &changed, 1, static_cast<off_t>(at)) == 1);
            const auto view = read_table(fd, path);
            if (at < 8) {  // the magic number
                if (view) FAIL_CHECK("understood with another byte " << at);
                if (!view && view.error().code != Errc::damaged) FAIL_CHECK(view.error().message());
            } else if (!view) {
                FAIL_CHECK("refused with another byte " << at << ": " << view.error().message());
            } else {
                const bool first_changed = at >= slots_at && at < slots_at + 16,
                           second_changed = at >= slots_at + 16 && at < slots_at + 32;
                if (!first_changed && !leases(*view, first))
                    FAIL_CHECK("the first lease is gone with byte " << at);
                if (!second_changed && !leases(*view, second))
                    FAIL_CHECK("the second lease is gone with byte " << at);
            }
        }
        REQUIRE(::pwrite(fd.get(), &whole[at], 1, static_cast<off_t>(at)) == 1);
    }
}

TEST_CASE("a table whose announcing or wiping was cut short anywhere has no owner") {
    const TempDir dir;
    const std::string whole = sample(dir.path() / "table");
    constexpr std::size_t pid_at = offsetof(format::TableHeaderBytes, pid);
    const auto check_nobodys = [&](const std::string& bytes, std::size_t written) {
        INFO(written << " bytes written");
        CHECK_FALSE(value(read_bytes(dir.path() / "copy", bytes)).announced);
    };
    for (std::size_t written = 0; written <= header_size; ++written) {
        std::string header(table_size, '\0');
        header.replace(0, written, whole, 0, written);
        header.replace(pid_at, 8, 8, '\0');  // the pid is written after the header
        check_nobodys(header, written);
    }
    std::string wiped = whole;
    wiped.replace(pid_at, table_size - pid_at, table_size - pid_at, '\0');
    for (std::size_t written = 0; written <= pid_at; ++written) {
        wiped.replace(0, written, written, '\0');
        check_nobodys(wiped, written);
    }
}

TEST_CASE("texts in a table that do not end with a zero are read up to the end of their field") {
    const TempDir dir;
    std::string bytes = sample(dir.path() / "table");
    std::fill(bytes.begin() + 64, bytes.begin() + header_size, 'x');
    std::fill(bytes.begin() + header_size + 32, bytes.begin() + header_size + 64, 'y');
    const auto view = value(read_bytes(dir.path() / "copy", bytes));
    CHECK(view.command == std::string(432, 'x'));
    CHECK(view.activities[0].label == std::string(32, 'y'));
}

TEST_CASE("bytes that were never a table are refused") {
    const TempDir dir;
    for (const std::string& bytes : {std::string(table_size, 'x'), std::string(table_size, '\xff'),
                                     "lardtbl3" + std::string(table_size, '\0')}) {
        const auto view = read_bytes(dir.path() / "copy", bytes);
        REQUIRE_FALSE(view);
        CHECK(view.error().code == Errc::damaged);
    }
    const auto empty = value(read_bytes(dir.path() / "copy", std::string(table_size, '\0')));
    CHECK_FALSE(empty.announced);
    CHECK(empty.leases.empty());
}

TEST_CASE("a table whose owner has closed it has no owner, and one that is wiped is empty") {
    const TempDir dir;
    const fs::path path = dir.path() / "table";
    (void)sample(path);  // it has closed its table
    CHECK_FALSE(value(read_table(open_file(path), path)).announced);
    value(cache::wipe_table(open_file(path), path));
    CHECK(read_file(path) == std::string(table_size, '\0'));
}

TEST_CASE("a table has 256 slots, and a released slot is free again") {
    const TempDir dir;
    const fs::path path = dir.path() / "table";
    const auto table = value(LeaseTable::take(open_file(path), path));
    std::vector<cache::Slot> slots;
    while (const auto slot = table->acquire()) {
        REQUIRE_FALSE(table->store(*slot, {1, slots.size() + 1}));
        slots.push_back(*slot);
    }
    CHECK(slots.size() == format::slots_per_table);
    const auto seen = [&] { return value(read_table(open_file(path), path)).leases.size(); };
    CHECK(seen() == format::slots_per_table);
    table->release(slots[100]);
    CHECK(seen() == format::slots_per_table - 1);
    const auto again = table->acquire();
    REQUIRE(again);
    CHECK(again->index == slots[100].index);
    CHECK_FALSE(table->acquire());
}
