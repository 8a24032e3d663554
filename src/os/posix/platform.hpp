// SPDX-License-Identifier: MIT
// What Linux and macOS do in different ways: declared here once, and defined in linux.cpp and
// apple.cpp. Calls return as calls of the system do: -1 and errno on failure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "os/file_system.hpp"
#include "os/process.hpp"

#if !defined(__linux__) && !defined(__APPLE__)
#error "larder has been ported to Linux and macOS: see os/posix/platform.hpp for what a port needs"
#endif

namespace larder::os::platform {

enum class RenameFlag { no_replace, exchange };
/// Renames atomically. Fails with EINVAL, ENOSYS, EOPNOTSUPP or ENOTSUP if the system or the file
/// system can't.
int rename_with_flag(int from_dir, const char* from, int to_dir, const char* to, RenameFlag flag);

/// Opens a directory and crosses no mount. Fails with ENOSYS if the system can't.
int open_unmounted(int parent, const char* name);

/// Brings a file to the disk itself, beyond the disk's own cache.
int sync_file(int fd);
/// Brings a whole file system to the disk. Fails with ENOSYS if the system can't.
int sync_all(int fd);

/// Reads how much room a file system has.
int read_space(int fd, DiskSpace& space);

/// Returns what the kernel says of a process.
struct KernelView {
    bool ended = false;       ///< it has, with all its threads, and its parent has yet to ask how
    std::uint64_t start = 0;  ///< 0 if it can't be told
};
KernelView view_of(std::int64_t pid) noexcept;
/// Returns the namespace in which our process ids mean something; 0 if there is none.
std::uint64_t pid_namespace() noexcept;
/// Returns zeros if it can't be told.
BootId read_boot_id() noexcept;
std::string command_line();
std::int64_t thread_number() noexcept;

}  // namespace larder::os::platform
