// SPDX-License-Identifier: MIT
// What Linux and macOS do in different ways. The functions are declared here once, and are defined
// in linux.cpp and linux_files.cpp for Linux, and in apple.cpp and apple_files.cpp for macOS. Those
// files also define some functions of os/copy.hpp and os/file_system.hpp. Functions that return int
// fail as system calls do: with -1 and errno.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <time.h>

#include "os/file_info.hpp"
#include "os/file_system.hpp"
#include "os/process.hpp"

#if !defined(__linux__) && !defined(__APPLE__)
#error "larder has been ported to Linux and macOS: see os/posix/platform.hpp for what a port needs"
#endif

namespace larder::os::platform {

enum class RenameFlag {
    no_replace,  ///< fail with EEXIST if something stands at the new name
    exchange,    ///< give each of the two things the name of the other
};
/// Renames atomically. Fails with EINVAL, ENOSYS, EOPNOTSUPP or ENOTSUP if the system or the file
/// system can't.
int rename_with_flag(int from_dir, const char* from, int to_dir, const char* to, RenameFlag flag);

/// Whether a rename of a name with a slash behind it fails with ENOTDIR if anything but a directory
/// stands there. Where it is false, such a rename follows a symlink.
extern const bool slash_asks_for_directory;

/// Opens a directory, and returns its descriptor, which belongs to the caller. Fails with EXDEV if
/// something is mounted there, and with ENOSYS if the system has no such call.
int open_unmounted(int parent, const char* name);

/// Opens a directory without the right to list it, so that names in it can be made, opened, renamed
/// and removed. Returns its descriptor, which belongs to the caller. `flags` is 0 or O_NOFOLLOW.
/// Fails with ENOSYS if the system has no such way.
int open_for_names(int parent, const char* name, int flags);

/// Waits until a file is on the disk itself, and not only in the disk's own cache.
int sync_file(int fd);
/// Waits until a whole file system is on the disk. Fails with ENOSYS if the system has no such
/// call.
int sync_all(int fd);

/// Returns when a file was made. Returns nullopt if the system does not tell, or if a program may
/// set that time.
std::optional<FileTime> read_birth(int fd) noexcept;

/// Lists the attributes of an open file or directory: writes their names to `names`, each with a
/// zero byte after it, and returns how many bytes they have. If `size` is 0, returns only that.
/// Fails with ERANGE if `size` is too small.
ssize_t list_attributes(int fd, char* names, std::size_t size);
/// Reads an attribute to `value`, and returns how many bytes it has. Otherwise like
/// list_attributes.
ssize_t get_attribute(int fd, const char* name, char* value, std::size_t size);
/// Sets an attribute, whether the file has it already or not.
int set_attribute(int fd, const char* name, const char* value, std::size_t size);
/// Returns whether users set attributes of this name, so that a copy takes them over. All others
/// are the system's own.
bool is_users_attribute(std::string_view name) noexcept;
/// Returns whether an attribute that users may set is kept by the system all the same, so that a
/// copy lacks nothing if it is refused.
bool is_systems_attribute(std::string_view name) noexcept;
/// The error by which the system says that a file has no attribute of this name.
extern const int no_such_attribute;

/// Returns whether the access control list of a file gives a user or a group other than the owner
/// the right to write to it. Returns true if the system does not tell what is in the list, and
/// false if there is none. `info` is what the system knows about the file.
bool list_lets_others_write(int fd, const FileInfo& info) noexcept;

/// Returns whether all users of the machine are users of this process's user namespace. Returns
/// true if the system has no such namespaces, or does not tell.
bool has_all_users() noexcept;

/// Fills a few bytes with random numbers of the kernel. Returns 0 if it has filled all of them.
int fill_with_random(void* bytes, std::size_t size);

/// Reads how much room a file system has.
int read_space(int fd, DiskSpace& space);

/// What the kernel knows about a process.
struct KernelView {
    bool ended = false;       ///< all its threads have ended, and it is a zombie
    std::uint64_t start = 0;  ///< when it started; 0 if that is unknown
};
/// Returns what the kernel knows about the process that has this pid now, in the pid namespace of
/// this process: unknown values alone if the kernel does not show it.
KernelView view_of(std::int64_t pid) noexcept;
/// Returns the same about this process, also if the kernel does not show it by its pid.
KernelView view_of_this_process() noexcept;
/// The unit of KernelView::start, in nanoseconds.
extern const std::uint64_t start_unit;

/// Returns what the time namespace of this process adds to the clock by which processes start, in
/// nanoseconds. Returns nullopt if the system does not tell it.
std::optional<std::int64_t> clock_offset() noexcept;
/// Returns the number of the pid namespace of this process; 0 if the system does not tell it. A
/// system without namespaces has one.
std::uint64_t pid_namespace() noexcept;
/// Returns the same for the time namespace of this process.
std::uint64_t time_namespace() noexcept;

/// A process as it is seen from a pid namespace above its own.
struct InnerProcess {
    std::int64_t pid = 0;             ///< in its own namespace
    std::uint64_t pid_namespace = 0;  ///< 0 if it is unknown
    KernelView view;
};
/// Calls `visit` for each process of another pid namespace of this machine, until it returns true.
/// Returns what it returned last. Returns nullopt if there may be processes that this process does
/// not see, and `visit` has returned true for none.
std::optional<bool> any_inner_process(
    const std::function<bool(const InnerProcess&)>& visit) noexcept;

/// The id of this boot: zeros if the system does not tell it.
struct BootIdRead {
    BootId id{};
    bool is_real = false;  ///< the kernel itself tells it
};
BootIdRead read_boot_id() noexcept;
/// See os::this_command.
std::string command_line();
/// See os::this_thread.
std::int64_t thread_number() noexcept;

/// Returns the time of a clock, as the kernel tells it.
timespec clock_of_kernel(clockid_t clock) noexcept;
/// See os::wall_time.
std::chrono::system_clock::time_point wall_time() noexcept;

/// Sets the time of modification of a name, whose last link is not followed, to the kernel's time.
/// Returns -1, and sets errno, if that fails.
int touch(int directory, const char* name) noexcept;

}  // namespace larder::os::platform
