// SPDX-License-Identifier: MIT
// What the listings of a directory on Linux and on macOS share.
#pragma once

#include <dirent.h>
#include <fcntl.h>

#include "os/file_info.hpp"
#include "os/posix/fd.hpp"

namespace larder::os {

/// Opens a directory a second time. The result has a position of its own for listing.
inline Result<Fd> open_to_list(const Dir& dir) {
    constexpr int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    Fd fd(retry([&] { return ::openat(fd_of(dir.handle), ".", flags); }));
    if (!fd) return fail(errno, "open directory", dir.path);
    return fd;
}

/// Returns whether a name is "." or "..", which every listing has.
inline bool is_dots(const char* name) {
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/// Returns the kind of file that a listing gives with a name. Many file systems give none.
inline FileKind kind_in_listing(unsigned char type) {
    switch (type) {
        case DT_UNKNOWN:
            return FileKind::unknown;
        case DT_REG:
            return FileKind::regular;
        case DT_DIR:
            return FileKind::directory;
        case DT_LNK:
            return FileKind::symlink;
        case DT_CHR:
            return FileKind::character_device;
        default:
            return FileKind::other;
    }
}

}  // namespace larder::os
