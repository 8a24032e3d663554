// SPDX-License-Identifier: MIT
// What the system knows about a file: its kind, size, times, permissions and identity.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "os/dir.hpp"

namespace larder::os {

enum class FileKind : unsigned char {
    unknown,  ///< the listing of a directory does not always give the kind
    regular,
    directory,
    symlink,
    character_device,  ///< a terminal, for example
    other,             ///< a socket, a pipe or another device
};

/// Two names belong to one file if and only if their identities are equal. The system may give the
/// identity to another file once the last name and the last handle of this one are gone.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

/// A time of a file, exactly as the system keeps it.
struct FileTime {
    std::int64_t seconds = 0;  ///< since 1970
    std::uint32_t nanoseconds = 0;
    friend auto operator<=>(const FileTime&, const FileTime&) = default;

    /// Converts it to a time of the clock. A time that the clock cannot hold becomes the first or
    /// the last one that it can.
    [[nodiscard]] std::chrono::system_clock::time_point to_clock() const noexcept;
    /// Converts a time of the clock.
    [[nodiscard]] static FileTime from_clock(std::chrono::system_clock::time_point time) noexcept;
};

/// What the system knew about a file at one instant.
struct FileInfo {
    FileKind kind = FileKind::unknown;
    Permissions permissions = Permissions::none;
    std::uint64_t size = 0;       ///< bytes that it holds, holes included
    std::uint64_t allocated = 0;  ///< bytes on the disk
    std::uint64_t links = 0;      ///< names that the file has; 0 if it was deleted
    std::uint64_t owner = 0;      ///< see os/user.hpp
    std::uint64_t group = 0;
    FileIdentity identity;
    FileTime modified;                ///< when its data last changed
    bool leads_to_directory = false;  ///< of a symlink on Windows: it was made for a directory

    [[nodiscard]] bool is_directory() const noexcept { return kind == FileKind::directory; }
    [[nodiscard]] bool is_regular() const noexcept { return kind == FileKind::regular; }
    [[nodiscard]] bool is_symlink() const noexcept { return kind == FileKind::symlink; }
};

/// Returns what the system knows about the file at `name`. If it is a symlink, that is about the
/// symlink itself.
[[nodiscard]] Result<FileInfo> stat_at(const Dir& parent, const std::string& name);
/// Does the same for a path of several parts, and for a caller that expects it to fail often: the
/// error has no path. Follows symlinks in all parts but the last.
[[nodiscard]] CallResult<FileInfo> try_stat_at(const Dir& parent, const char* path) noexcept;
/// Returns what the system knows about an open directory.
[[nodiscard]] Result<FileInfo> stat_of(const Dir& dir);
/// Returns what the system knows about anything that is open.
[[nodiscard]] CallResult<FileInfo> try_stat(const FileHandle& handle) noexcept;

/// Returns when the file was made, if no program can set this time: then a copy of a file has
/// another one. Returns nullopt if the file system does not keep it, or if it can be set (macOS).
[[nodiscard]] std::optional<FileTime> birth_of(const FileHandle& handle) noexcept;

/// Whether a symlink in the last part of a path is followed.
enum class Follow { no, yes };
/// Returns what the system knows about a path that a caller gave.
[[nodiscard]] CallResult<FileInfo> try_stat_path(const std::filesystem::path& path,
                                                 Follow follow) noexcept;

/// Returns whether something stands at `name`. A symlink that leads nowhere counts. Errors: the
/// system's, if it does not tell.
[[nodiscard]] CallResult<bool> exists_at(const Dir& parent, const std::string& name) noexcept;
/// Returns whether a directory stands at `name`; false if nothing does. Errors: `damaged` if
/// something else does, such as a symlink to a directory.
[[nodiscard]] Result<bool> is_dir_at(const Dir& parent, const std::string& name);

/// Sets the permissions exactly: no umask alters them. Returns the system's error; a false
/// error_code if there was none.
[[nodiscard]] std::error_code try_set_permissions(const FileHandle& handle,
                                                  Permissions permissions) noexcept;
/// Does the same for the file at `name`. Fails if it is a symlink.
[[nodiscard]] Result<> set_permissions_at(const Dir& parent, const std::string& name,
                                          Permissions permissions);

/// Sets the time at which the data last changed. Returns the system's error; a false error_code if
/// there was none.
[[nodiscard]] std::error_code try_set_modified(const FileHandle& handle,
                                               const FileTime& time) noexcept;
/// Does the same for the file at `name`. If it is a symlink, sets the time of the symlink itself.
[[nodiscard]] Result<> set_modified_at(const Dir& parent, const std::string& name,
                                       const FileTime& time);
/// Sets the time of modification to now, by the kernel's clock. If `name` is a symlink, sets the
/// time of the symlink itself.
[[nodiscard]] Result<> touch_at(const Dir& parent, const std::string& name);

}  // namespace larder::os
