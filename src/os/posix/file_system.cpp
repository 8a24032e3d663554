// SPDX-License-Identifier: MIT
#include "os/file_system.hpp"

#include <sys/statvfs.h>

#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

Result<DiskSpace> space_of(const Dir& dir) {
    struct statvfs status {};
    if (retry([&] { return ::fstatvfs(fd_of(dir.handle), &status); }) != 0)
        return fail(errno, "look at the free space of", dir.path);
    return DiskSpace{std::uint64_t{status.f_bavail} * status.f_frsize,
                     std::uint64_t{status.f_blocks} * status.f_frsize};
}

Result<> sync_file_system(const Dir& dir) {
    if (retry([&] { return platform::sync_all(fd_of(dir.handle)); }) != 0)
        return fail(errno, "sync", dir.path);
    return {};
}

}  // namespace larder::os
