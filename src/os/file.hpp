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
    read_nonblocking,  ///< the same, but the caller never waits if a pipe stands there instead
    read_write,        ///< for reading and writing; the file must exist
    open_or_create,    ///< for reading and writing; the file is made if it is missing
    create_new,        ///< for writing; fails with Why::exists if something stands there
};

/// The permissions of a file that only larder reads: its owner may read and write it.
inline constexpr Permissions private_file = Permissions::owner_read | Permissions::owner_write;
/// The same, and all users may read it.
inline constexpr Permissions readable_file =
    private_file | Permissions::group_read | Permissions::others_read;

/// Opens a file, and follows no symlink at `name`. No program that this process starts inherits the
/// handle. Errors: Why::is_link for a symlink; Why::exists for `create_new` if something stands
/// there.
[[nodiscard]] Result<FileHandle> open_at(const Dir& parent, const std::string& name, OpenMode mode,
                                         Permissions permissions = private_file);
/// Does the same for a caller that expects it to fail often: the error has no path, which would
/// cost an allocation. A file that is made has the permissions private_file.
[[nodiscard]] CallResult<FileHandle> try_open_at(const Dir& parent, const char* name,
                                                 OpenMode mode) noexcept;
/// Opens the file at a path that a caller gave, for appending. Makes the file if it is missing.
/// Does not wait: fails if it is a pipe that no process reads.
[[nodiscard]] Result<FileHandle> open_to_append(const std::filesystem::path& path);

/// Reads up to `size` bytes from the present position on. Returns how many it has read, which may
/// be fewer: 0 only at the end of the file.
[[nodiscard]] CallResult<std::size_t> read_some(const FileHandle& file, char* to,
                                                std::size_t size) noexcept;
/// Reads `size` bytes from `offset` on, or fewer if the file ends before. Returns how many it has
/// read.
[[nodiscard]] CallResult<std::size_t> read_at(const FileHandle& file, void* to, std::size_t size,
                                              std::uint64_t offset) noexcept;
/// Writes `size` bytes at `offset`. Returns the system's error, after which some of the bytes may
/// have been written; a false error_code if all of them were.
[[nodiscard]] std::error_code write_at(const FileHandle& file, const void* from, std::size_t size,
                                       std::uint64_t offset) noexcept;
/// Sets the length of a file. What it gains is a hole, which on Windows takes space. Returns the
/// system's error; a false error_code if there was none.
[[nodiscard]] std::error_code set_size(const FileHandle& file, std::uint64_t size) noexcept;
/// Writes the bytes from the present position on. After an error some of them may have been
/// written.
[[nodiscard]] Result<> write_all(const FileHandle& file, std::string_view bytes,
                                 const std::filesystem::path& path);
/// Writes with one system call, so that lines that several processes append do not mix. Bytes that
/// cannot be written are lost.
void write_once(const FileHandle& file, std::string_view bytes) noexcept;

/// Returns the contents of a small file. Errors: `damaged` if it has more than `limit` bytes, or is
/// not a regular file.
[[nodiscard]] Result<std::string> read_file_at(const Dir& parent, const std::string& name,
                                               std::size_t limit);
/// Makes a file that holds `bytes`. Removes it again if it cannot be completed. It is not made at
/// one instant: another process may see it while it is still empty. Fails with Why::exists if
/// something stands there.
[[nodiscard]] Result<> write_new_file_at(const Dir& parent, const std::string& name,
                                         std::string_view bytes,
                                         Permissions permissions = private_file);
/// Unlinks a name that is no directory. Fails with Why::absent if nothing stands there.
[[nodiscard]] Result<> remove_file_at(const Dir& parent, const std::string& name);

/// Waits until everything that was written to the file is on the disk. If the call for one file is
/// refused, the whole file system is synced. An error means that data may be lost; a second call
/// would not report that again. `path` is for messages.
[[nodiscard]] Result<> sync(const FileHandle& file, const std::filesystem::path& path);
/// Does the same for a directory: the names in it are on the disk then, and not what they name.
[[nodiscard]] Result<> sync(const Dir& dir);
/// Closes a file that was written. Returns the system's error; a false error_code if there was
/// none. Some file systems report only at this call that there was no space. The handle is closed
/// in either case.
[[nodiscard]] std::error_code close(FileHandle file) noexcept;

/// Lets the handle stay open when this process becomes another program by execve. From then on
/// every program that this process starts inherits it. Returns the system's error; a false
/// error_code if there was none.
[[nodiscard]] std::error_code keep_across_exec(const FileHandle& file) noexcept;

}  // namespace larder::os
