// SPDX-License-Identifier: MIT
// Reads and writes that move fewer bytes than they are given, as any call may. The linker puts the
// functions below in place of the system's (see CMakeLists.txt).

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "cache/lease_table.hpp"
#include "catch.hpp"
#include "format/link.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::format;
using namespace larder::testing;

namespace {
std::size_t longest_read = SIZE_MAX, longest_write = SIZE_MAX;
int looks_that_fail = 0;
}  // namespace

extern "C" {
ssize_t __real_read(int fd, void* to, std::size_t count);
ssize_t __wrap_read(int fd, void* to, std::size_t count);
ssize_t __wrap_read(int fd, void* to, std::size_t count) {
    return __real_read(fd, to, std::min(count, longest_read));
}

ssize_t __real_pwrite(int fd, const void* from, std::size_t count, off_t offset);
ssize_t __wrap_pwrite(int fd, const void* from, std::size_t count, off_t offset);
ssize_t __wrap_pwrite(int fd, const void* from, std::size_t count, off_t offset) {
    return __real_pwrite(fd, from, std::min(count, longest_write), offset);
}

int __real_fstat(int fd, struct stat* to);
int __wrap_fstat(int fd, struct stat* to);
int __wrap_fstat(int fd, struct stat* to) {
    if (looks_that_fail == 0) return __real_fstat(fd, to);
    --looks_that_fail;
    errno = EIO;
    return -1;
}
}

TEST_CASE("a link that comes in pieces is the same link") {
    const TempDir dir;
    const os::Dir opened = value(os::open_dir(dir.path()));
    const Id id = fresh_id();
    value(make_link(LinkKind::file, opened, opened, "link", id));
    for (const std::size_t longest : {1, 2, 30, 44, 45, 46}) {
        longest_read = longest;
        const auto read = read_link(LinkKind::file, opened, "link");
        longest_read = SIZE_MAX;
        INFO(longest);
        CHECK(value(read).names(id));
    }
}

TEST_CASE("an empty file whose status can't be read is an error, and not foreign") {
    const TempDir dir;
    const os::Dir opened = value(os::open_dir(dir.path()));
    write_file(dir.path() / "link", "");
    looks_that_fail = 1;
    const auto read = read_link(LinkKind::file, opened, "link");
    looks_that_fail = 0;
    REQUIRE_FALSE(read);
    CHECK(read.error().sys_errno == EIO);
    CHECK(value(read_link(LinkKind::file, opened, "link")).kind == LinkRead::Kind::malformed);
}

TEST_CASE("a lease table that is written in pieces is the same table") {
    const TempDir dir;
    const fs::path path = dir.path() / "table";
    const Id id = fresh_id();
    os::set_point_hook([](const std::string& name) { return name == "os.map-table" ? EINVAL : 0; });
    longest_write = 5;
    {
        const auto table = value(cache::LeaseTable::take(
            os::Fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)), path));
        const auto slot = table->acquire();
        CHECK_FALSE(table->store(*slot, id));
        CHECK(table->begin_activity({77, format::ActivityView::Kind::waits, "bucket b", 1}));
        const auto view =
            value(cache::read_table(os::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path));
        CHECK(view.announced);
        CHECK(view.process.pid == ::getpid());
        CHECK(view.leases == std::vector{id});
        REQUIRE(view.activities.size() == 1);
        CHECK(view.activities[0].lock == 77);
        table->release(*slot);
        CHECK(value(cache::read_table(os::Fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), path))
                  .leases.empty());
    }
    longest_write = SIZE_MAX;
    os::set_point_hook({});
}
