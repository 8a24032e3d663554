// SPDX-License-Identifier: MIT
// What is known about file systems, by their kind. There is one table of it for each system.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "os/dir.hpp"

namespace larder::os {

/// What a kind of file system does. Of one that is not in the table the safe answers hold: its
/// files may share blocks, and a store to a mapping may fail.
struct FileSystemTraits {
    /// The kind's name if its files lie on another machine, else null.
    const char* network = nullptr;
    /// Files may share blocks without being hard links.
    bool has_clones = true;
    /// A store to a mapping of an allocated file needs no space: neither of the disk nor for the
    /// file system's own records. Elsewhere a store that finds no space ends the process (SIGBUS),
    /// while a write fails with an error.
    bool maps_without_space = false;
};

/// Returns the traits of the file system that the file or directory lies on; those of an unknown
/// one if the system does not say.
[[nodiscard]] FileSystemTraits traits_of(const FileHandle& handle) noexcept;

/// What this process can still write to the file system of `dir`, and the size of it, in bytes.
struct DiskSpace {
    std::uint64_t free = 0;
    std::uint64_t size = 0;
};
[[nodiscard]] Result<DiskSpace> space_of(const Dir& dir);

/// Returns the bytes of a file that it shares with no other file; nothing if the file system does
/// not tell.
[[nodiscard]] std::optional<std::uint64_t> unshared_bytes(const Dir& dir, const std::string& name);

/// Asks a file system that copies on write to write this file in place, which is empty: then a
/// write to it needs no space. Others do not know the request, and nothing happens.
void write_in_place(const FileHandle& empty_file) noexcept;

/// Brings everything that was written to the file system of `dir` to the disk. Fails with
/// Why::not_supported if the system has no such call.
[[nodiscard]] Result<> sync_file_system(const Dir& dir);

}  // namespace larder::os
