// SPDX-License-Identifier: MIT
#include "os/file_system.hpp"

#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

Result<DiskSpace> space_of(const Dir& dir) {
    DiskSpace space;
    if (retry([&] { return platform::read_space(fd_of(dir.handle), space); }) != 0)
        return fail(errno, "look at the free space of", dir.path);
    return space;
}

Result<> sync_file_system(const Dir& dir) {
    if (retry([&] { return platform::sync_all(fd_of(dir.handle)); }) != 0)
        return fail(errno, "sync", dir.path);
    return {};
}

}  // namespace larder::os
