// SPDX-License-Identifier: MIT
// What is known about the file systems of this machine.

#include "catch.hpp"
#include "os/file_system.hpp"
#include "support/cache.hpp"

using namespace larder;
using namespace larder::testing;

TEST_CASE("an unknown file system gets the safe answers") {
    const os::FileSystemTraits unknown;
    CHECK(unknown.network == nullptr);
    CHECK(unknown.has_clones);
    CHECK_FALSE(unknown.maps_without_space);
    CHECK(os::traits_of(os::FileHandle()).has_clones);
}

#ifdef __linux__
TEST_CASE("tmpfs is local, has no clones, and may be mapped") {
    const auto dir = os::open_dir("/dev/shm");
    if (!dir) return;  // a container without it
    const os::FileSystemTraits tmpfs = os::traits_of(dir->handle);
    CHECK(tmpfs.network == nullptr);
    CHECK_FALSE(tmpfs.has_clones);
    CHECK(tmpfs.maps_without_space);
}

TEST_CASE("what no row of the table names is unknown") {
    const os::FileSystemTraits proc = os::traits_of(value(os::open_dir("/proc")).handle);
    CHECK(proc.network == nullptr);
    CHECK_FALSE(proc.maps_without_space);
}
#endif

TEST_CASE("a disk has a size, and less free space than that") {
    const TempDir temp;
    const os::DiskSpace space = value(os::space_of(value(os::open_dir(temp.path()))));
    CHECK(space.size > 0);
    CHECK(space.free <= space.size);
}
