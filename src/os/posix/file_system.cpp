// SPDX-License-Identifier: MIT
#include "os/file_system.hpp"

#include <unistd.h>

#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

std::size_t longest_name(const Dir& dir) noexcept {
    // A test may tell a length here.
    if (const int told = point("os.longest-name")) return static_cast<std::size_t>(told);
    const long length = retry([&] {
        errno = 0;  // -1 without an error number means that there is no limit
        return ::fpathconf(fd_of(dir.handle), _PC_NAME_MAX);
    });
    return length > 0 ? static_cast<std::size_t>(length) : 255;
}

Result<DiskSpace> space_of(const Dir& dir) {
    DiskSpace space;
    if (retry([&] { return platform::read_space(fd_of(dir.handle), space); }) != 0)
        return fail(errno, "look at the free space of", dir.path);
    return space;
}

Result<> sync_file_system(const Dir& dir) {
    if (const int error = point("os.sync")) return fail(error, "sync", dir.path);
    if (retry([&] { return platform::sync_all(fd_of(dir.handle)); }) != 0)
        return fail(errno, "sync", dir.path);
    return {};
}

}  // namespace larder::os
