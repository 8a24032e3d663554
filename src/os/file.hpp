// SPDX-License-Identifier: MIT
// Files: opened by name in an open directory, read, written, and brought to the disk.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "os/dir.hpp"
#include "os/file_info.hpp"

namespace larder::os {

enum class OpenMode {
    read,              ///< a file that exists
    read_nonblocking,  ///< the same, and a pipe that stands there instead holds nobody up
    read_write,        ///< a file that exists, for both
    open_or_create,    ///< for both
    create_new,        ///< for writing; fails with Why::exists if something stands there
};

/// What a file gets that larder writes for itself: its owner may read and write it.
inline constexpr Permissions private_file = Permissions::owner_read | Permissions::owner_write;
/// The same, and everybody may read it.
inline constexpr Permissions readable_file =
    private_file | Permissions::group_read | Permissions::others_read;

/// Opens a file. No program that this process starts inherits the handle.
[[nodiscard]] Result<FileHandle> open_at(const Dir& parent, const std::string& name, OpenMode mode,
                                         Permissions permissions = private_file);
/// Does the same for what fails often.
[[nodiscard]] CallResult<FileHandle> try_open_at(const Dir& parent, const char* name,
                                                 OpenMode mode) noexcept;
/// Opens a file at a path that a caller gave for appending to it, and makes it if it is missing. A
/// pipe that nobody reads is an error.
[[nodiscard]] Result<FileHandle> open_to_append(const std::filesystem::path& path);

/// Reads up to `size` bytes, at least one unless the file has ended. Returns how many there were.
[[nodiscard]] CallResult<std::size_t> read_some(const FileHandle& file, char* to,
                                                std::size_t size) noexcept;
/// Reads from `offset` on until there are `size` bytes or the file has ended. Returns how many
/// there were.
[[nodiscard]] CallResult<std::size_t> read_at(const FileHandle& file, void* to, std::size_t size,
                                              std::uint64_t offset) noexcept;
/// Writes all of it at `offset`. Returns the system's error, or none.
[[nodiscard]] std::error_code write_at(const FileHandle& file, const void* from, std::size_t size,
                                       std::uint64_t offset) noexcept;
[[nodiscard]] Result<> write_all(const FileHandle& file, std::string_view bytes,
                                 const std::filesystem::path& path);
/// Writes by one call of the system, so that what several processes append does not mix. What can't
/// be written is lost.
void write_once(const FileHandle& file, std::string_view bytes) noexcept;

/// Reads the whole of a small file. Errors: `damaged` for more than `limit` bytes, and for what is
/// not a regular file.
[[nodiscard]] Result<std::string> read_file_at(const Dir& parent, const std::string& name,
                                               std::size_t limit);
/// Makes a file of these bytes. If it can't be completed it is removed again.
[[nodiscard]] Result<> write_new_file_at(const Dir& parent, const std::string& name,
                                         std::string_view bytes,
                                         Permissions permissions = private_file);
[[nodiscard]] Result<> remove_file_at(const Dir& parent, const std::string& name);

/// Brings what was written to the disk.
[[nodiscard]] Result<> sync(const FileHandle& file, const std::filesystem::path& path);
[[nodiscard]] Result<> sync(const Dir& dir);
/// Closes a file that was written. Some file systems say only now that there was no space.
[[nodiscard]] std::error_code close(FileHandle file) noexcept;

/// Lets the programs that this process becomes inherit the handle.
[[nodiscard]] std::error_code keep_across_exec(const FileHandle& file) noexcept;

}  // namespace larder::os
