// SPDX-License-Identifier: MIT
// What larder knows about each kind of file system. The tables are in posix/linux_files.cpp and
// posix/apple_files.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "os/dir.hpp"

namespace larder::os {

/// What a kind of file system does. A kind that is not in the table gets the answers that are safe
/// for every kind: its files may share blocks, and a store to a mapping may fail.
struct FileSystemTraits {
    /// The name of the kind if its files lie on another machine, or on a disk that several machines
    /// share. Null if only this machine uses them.
    const char* network = nullptr;
    /// Files may share blocks without being hard links.
    bool has_clones = true;
    /// A store to a mapping of an allocated file needs no space: no blocks for the file, and none
    /// for the file system's own records. On other file systems, a store that finds no space ends
    /// the process by SIGBUS, while a write fails with an error.
    bool maps_without_space = false;
    /// A file has the same number (FileIdentity::inode) as long as it exists, for every process.
    bool has_fixed_numbers = false;
    /// A mapping keeps the open file of which it was made, and so the locks of that open file, even
    /// if all its handles are closed.
    bool maps_keep_locks = false;
    /// A sync of a directory writes the names in that directory alone. After a power cut, a rename
    /// between two directories may then have happened in one of them and not in the other. With
    /// btrfs of Linux 6.18, a cut after some such syncs has left a file system that cannot be
    /// mounted. A sync of the whole file system writes no log, and so has neither fault.
    bool logs_single_directories = false;
    /// When a sync of the whole file system has succeeded, all that was written before is on the
    /// disk. FUSE does not pass such a sync on, and says that it has succeeded.
    bool syncs_reach_disk = false;
    /// A directory may come from a layer below, which is never written, and then can't be renamed.
    bool has_layers = false;
};

/// Returns the traits of the file system on which the file or directory lies. Returns the safe
/// answers if the system does not tell the kind.
[[nodiscard]] FileSystemTraits traits_of(const FileHandle& handle) noexcept;

/// Returns how many bytes a name in `dir` may have. Returns 255, as almost all file systems have
/// it, if the system does not tell.
[[nodiscard]] std::size_t longest_name(const Dir& dir) noexcept;

/// The space of a file system: bytes, and the files that it can hold (inodes).
struct DiskSpace {
    std::uint64_t free = 0;  ///< what this process can still write
    std::uint64_t size = 0;
    std::uint64_t free_files = 0;  ///< how many more files this process can make
    std::uint64_t files = 0;       ///< 0 if the file system makes files as long as it has bytes
};
/// Returns the space of the file system of `dir`.
[[nodiscard]] Result<DiskSpace> space_of(const Dir& dir);

/// Returns how many bytes of a file are shared with no other file, as its blocks are on the disk
/// now. Returns nullopt if the file can't be opened, or if the file system does not tell.
[[nodiscard]] std::optional<std::uint64_t> unshared_bytes(const Dir& dir, const std::string& name);

/// Asks a file system that copies on write to write this file in place. Then a write to allocated
/// bytes of the file needs no space. A file system that does not know the request, or refuses it,
/// leaves the file as it is: the request is best effort.
/// Requires: the file is empty.
void write_in_place(const FileHandle& empty_file) noexcept;

/// Waits until everything that was written to the file system of `dir` is on the disk. Fails with
/// Why::not_supported if the system has no such call.
[[nodiscard]] Result<> sync_file_system(const Dir& dir);

}  // namespace larder::os
