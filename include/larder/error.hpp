// SPDX-License-Identifier: MIT
// Errors are values, and larder throws no exception of its own. Two kinds pass through it:
//   - std::bad_alloc, if memory has run out. No function that is noexcept allocates memory.
//   - What a function of the caller's throws: a build, on_taken, on_evict, on_progress. An
//     exception of a thread that deletes or copies reaches the caller, too.
//
// Both leave the cache in no worse state than a kill at that point would. What has no caller to
// pass it on to is dropped: an exception of on_event and on_wait, and all exceptions of a
// collection in the background.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace larder {

/// The codes of errors. There is one code for each different thing that a caller can do.
enum class Errc {
    miss,  ///< there is no such entry: build it, or tell the user
    /// Another process holds the lock, and the time to wait has passed: try again. The message
    /// names the holder.
    busy,
    interrupted,  ///< the caller's own stop_token ended the wait or the work
    invalid,      ///< a key, name, path or option that can never work: correct the call
    /// This cache must not be used in this way (newer format, network, another owner, no cache).
    refused,
    read_only,    ///< the cache can only be read here
    no_space,     ///< the disk or the quota is full; remove, refresh and collect still work
    unsupported,  ///< this file system cannot do what was asked for: ask for another way
    exists,       ///< something stands in the way: move it, or allow its replacement
    build,        ///< for builds to return: the entry could not be made
    damaged,      ///< something on the disk breaks an invariant: run Cache::verify
    system,       ///< the operating system refused; see `sys_errno` and `why`
};

/// Returns the name of a code, as `cachetool --json` prints it: "miss", "busy" and so on. The text
/// is a literal that ends with a zero byte. The same is true of each name_of below.
[[nodiscard]] std::string_view name_of(Errc code) noexcept;

/// Why a call of the operating system failed. The values are the same on every system, unlike those
/// of errno, so branch on these. A later version may add values.
enum class Why {
    none,           ///< no call of the system failed
    absent,         ///< nothing has this name
    exists,         ///< something has this name already
    not_empty,      ///< the directory is not empty
    not_directory,  ///< a directory was needed, and this is something else
    is_directory,   ///< something else was needed, and this is a directory
    /// This is a symlink, which larder does not follow here, or symlinks lead in a circle.
    is_link,
    cross_device,  ///< the two names are on two file systems, or below two mounts
    denied,        ///< the permissions of a file or directory forbid it
    /// This process may not do it at all (its user, its sandbox), or not to a file of this kind.
    not_permitted,
    read_only,            ///< the file system is mounted for reading only
    no_space,             ///< the disk or the quota is full
    too_many_links,       ///< the file has all the hard links that it can have
    too_many_open_files,  ///< this process, or the machine, can open no more files
    name_too_long,        ///< the system accepts no name, or path, of this length
    not_supported,        ///< the system or the file system has no such call
    invalid,              ///< the system does not accept these arguments, or not for this file
    no_device,            ///< the file is a socket, or a device that does not exist
    not_seekable,         ///< the file is a pipe or a terminal, which has no positions
    busy,                 ///< the system itself uses it: as a mount point, for example
    sharing,              ///< another program has it open in a way that forbids this
    would_block,          ///< it cannot be done now without waiting
    interrupted,          ///< a signal interrupted the call
    no_memory,            ///< memory has run out
    io,                   ///< the device failed
    other,                ///< none of these; see `sys_errno`
};

/// Returns the name of a value: "absent", "exists" and so on.
[[nodiscard]] std::string_view name_of(Why why) noexcept;

/// An error: what failed, where, and what to do about it.
struct Error {
    Errc code = Errc::system;    ///< what kind of error it is
    int sys_errno = 0;           ///< errno of the system call that failed; 0 if none did
    const char* step = "";       ///< what larder was doing, such as "publish"; a literal
    std::filesystem::path path;  ///< the file or directory it was doing this to; may be empty
    std::string detail;          ///< what exactly is wrong, and what to do next; may be empty
    Why why = Why::none;         ///< the same cause as sys_errno; none if no system call failed

    /// Returns one line for people: "step PATH: detail (system's message for sys_errno)".
    [[nodiscard]] std::string message() const;
};

/// What a function that can fail returns: a value, or the Error in its place.
template <class T = void>
using Result = tl::expected<T, Error>;

}  // namespace larder
