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
    damaged,      ///< something on the disk breaks an invariant: run verify
    system,       ///< the operating system refused; `sys_errno` gives the reason
};

/// Returns the name of a code, as `--json` prints it: "miss", "busy", …
[[nodiscard]] std::string_view name_of(Errc code) noexcept;

/// The system's reason as a word, the same on every system. Branch on this rather than on
/// `sys_errno`. There may be more words in a later version.
enum class Why {
    none,                 ///< no call of the system failed
    absent,               ///< nothing stands there
    exists,               ///< something stands there already
    not_empty,            ///< the directory still holds something
    not_directory,        ///< a directory was needed, and something else stands there
    is_directory,         ///< something else was needed, and a directory stands there
    is_link,              ///< a symlink stands there and is not followed, or links lead in a circle
    cross_device,         ///< two file systems, or two mounts
    denied,               ///< the permissions of a file or directory forbid it
    not_permitted,        ///< this kind of process may not do it, or not to this kind of file
    read_only,            ///< the file system is mounted for reading only
    no_space,             ///< the disk or the quota is full
    too_many_links,       ///< the file has all the hard links that it can have
    too_many_open_files,  ///< this process, or the machine, can open no more
    name_too_long,        ///< the name or the path is longer than the system takes
    not_supported,        ///< the system or the file system has no such call
    invalid,              ///< the system does not understand the call, or not for this file
    no_device,            ///< a socket, or a device that is not there
    not_seekable,         ///< a pipe or terminal, which has no positions
    busy,                 ///< the system itself uses it: something is mounted there, for example
    sharing,              ///< another program has it open in a way that forbids this
    would_block,          ///< it cannot be done now without waiting
    interrupted,          ///< a signal interrupted the call
    no_memory,            ///< memory has run out
    io,                   ///< the device failed
    other,                ///< a reason without a word; see `sys_errno`
};

/// Returns the word itself: "absent", "exists", …
[[nodiscard]] std::string_view name_of(Why why) noexcept;

/// What went wrong, in which step, and where.
struct Error {
    Errc code = Errc::system;
    int sys_errno = 0;      ///< the system's reason, or 0
    const char* step = "";  ///< what was being done; a string that lives as long as the program
    std::filesystem::path path;  ///< where; may be empty
    std::string detail;          ///< why, and what to do about it; may be empty
    Why why = Why::none;         ///< the system's reason as a word; larder sets it with sys_errno

    /// Returns one line for people: "step PATH: detail (system's reason)".
    [[nodiscard]] std::string message() const;
};

template <class T = void>
using Result = tl::expected<T, Error>;

}  // namespace larder
