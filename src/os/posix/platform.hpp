// SPDX-License-Identifier: MIT
// What Linux and macOS do in different ways. The functions are declared here once, and are defined
// in linux.cpp and linux_files.cpp for Linux, and in apple.cpp and apple_files.cpp for macOS. Those
// files also define some functions of os/copy.hpp and os/file_system.hpp. Functions that return int
// fail as system calls do: with -1 and errno.
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

/// Opens a directory. Fails with EXDEV if something is mounted there, and with ENOSYS if the system
/// has no such call.
int open_unmounted(int parent, const char* name);

/// Waits until a file is on the disk itself, and not only in the disk's own cache.
int sync_file(int fd);
/// Waits until a whole file system is on the disk. Fails with ENOSYS if the system has no such
/// call.
int sync_all(int fd);

/// Fills a few bytes with random numbers of the kernel. Returns 0 if it has filled all of them.
int fill_with_random(void* bytes, std::size_t size);

/// Reads how much room a file system has.
int read_space(int fd, DiskSpace& space);

/// What the kernel knows about a process.
struct KernelView {
    bool ended = false;       ///< all its threads have ended, and it is a zombie
    std::uint64_t start = 0;  ///< when it started; 0 if that is unknown
};
KernelView view_of(std::int64_t pid) noexcept;
/// Returns the number of the pid namespace of this process; 0 if the system has none, or does not
/// tell it.
std::uint64_t pid_namespace() noexcept;
/// Returns the id of this boot; zeros if the system does not tell it.
BootId read_boot_id() noexcept;
std::string command_line();
std::int64_t thread_number() noexcept;

}  // namespace larder::os::platform
