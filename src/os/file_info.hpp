// SPDX-License-Identifier: MIT
// What the system knows about a file: its kind, size, times, permissions and identity.
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <filesystem>
#include <string>

#include "os/dir.hpp"

namespace larder::os {

enum class FileKind : unsigned char {
    unknown,  ///< a directory's listing does not always say
    regular,
    directory,
    symlink,
    character_device,  ///< a terminal, for example
    other,             ///< a socket, a pipe or another device
};

/// Read, write and execute for owner, group and others, and the set-id bits. A system that has no
/// such bits gives all the rights that this process has.
using Permissions = std::filesystem::perms;

/// Two names are one file if and only if these are equal. It may be used again for another file
/// once the last name and the last handle of this one are gone.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    friend auto operator<=>(const FileIdentity&, const FileIdentity&) = default;
};

/// A time of a file, exactly as the system keeps it.
struct FileTime {
    std::int64_t seconds = 0;  ///< since 1970
    std::uint32_t nanoseconds = 0;

    /// Returns it as a time of the clock; the clock's first or last time if it has no such time.
    [[nodiscard]] std::chrono::system_clock::time_point to_clock() const noexcept;
};

struct FileInfo {
    FileKind kind = FileKind::unknown;
    Permissions permissions = Permissions::none;
    std::uint64_t size = 0;
    std::uint64_t allocated = 0;  ///< bytes on the disk
    std::uint64_t links = 0;      ///< names that the file has; 0 if it was deleted
    std::uint64_t owner = 0;      ///< see os/user.hpp
    FileIdentity identity;
    FileTime modified;  ///< when its data last changed

    [[nodiscard]] bool is_directory() const noexcept { return kind == FileKind::directory; }
    [[nodiscard]] bool is_regular() const noexcept { return kind == FileKind::regular; }
    [[nodiscard]] bool is_symlink() const noexcept { return kind == FileKind::symlink; }
};

/// Looks at what stands at `name`, and at a symlink itself.
[[nodiscard]] Result<FileInfo> stat_at(const Dir& parent, const std::string& name);
/// Does the same for a path, of which each part may be a symlink that is followed, but the last.
/// For what fails often.
[[nodiscard]] CallResult<FileInfo> try_stat_at(const Dir& parent, const char* path) noexcept;
[[nodiscard]] Result<FileInfo> stat_of(const Dir& dir);
[[nodiscard]] CallResult<FileInfo> try_stat(const FileHandle& handle) noexcept;

enum class Follow { no, yes };
/// Looks at a path that a caller gave. `follow` says whether a symlink in its last part is
/// followed.
[[nodiscard]] CallResult<FileInfo> try_stat_path(const std::filesystem::path& path,
                                                 Follow follow) noexcept;

/// Returns whether something stands at `name`, which may be a symlink to nowhere; false if that
/// can't be told.
[[nodiscard]] bool exists_at(const Dir& parent, const std::string& name) noexcept;
/// Returns whether a directory stands at `name`. Errors: `damaged` if something else does.
[[nodiscard]] Result<bool> is_dir_at(const Dir& parent, const std::string& name);

/// Sets the permissions exactly: no umask alters them.
[[nodiscard]] Result<> set_permissions(const FileHandle& handle, Permissions permissions,
                                       const std::filesystem::path& path);
/// Does the same for what stands at `name`. Fails for a symlink.
[[nodiscard]] Result<> set_permissions_at(const Dir& parent, const std::string& name,
                                          Permissions permissions);

/// Sets when the data last changed.
[[nodiscard]] Result<> set_modified(const FileHandle& handle, const FileTime& time,
                                    const std::filesystem::path& path);
/// Does the same for what stands at `name`, and for a symlink itself.
[[nodiscard]] Result<> set_modified_at(const Dir& parent, const std::string& name,
                                       const FileTime& time);
/// Sets that time to now.
[[nodiscard]] Result<> touch_at(const Dir& parent, const std::string& name);

}  // namespace larder::os
