// Reads that bring less than there is, as any read may: the linker puts the one below before the system's (see CMakeLists.txt).

#include <unistd.h>

#include <algorithm>
#include <catch.hpp>
#include <layout/link.hpp>
#include <support/cache.hpp>

using namespace larder;
using namespace larder::layout;
using namespace larder::testing;

namespace {
std::size_t longest_read = SIZE_MAX;
int looks_that_fail = 0;
}  // namespace

extern "C" {
ssize_t __real_read(int fd, void* to, std::size_t count);
ssize_t __wrap_read(int fd, void* to, std::size_t count);
ssize_t __wrap_read(int fd, void* to, std::size_t count) { return __real_read(fd, to, std::min(count, longest_read)); }

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
    value(make_link(LinkKind::file, opened, "link", id));
    for (const std::size_t longest : {1, 2, 30, 44, 45, 46}) {
        longest_read = longest;
        const auto read = read_link(LinkKind::file, opened, "link");
        longest_read = SIZE_MAX;
        INFO(longest);
        CHECK(value(read).names(id));
    }
}

TEST_CASE("an empty file that can't be looked at is an error, and not somebody else's") {
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
