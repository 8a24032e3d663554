// SPDX-License-Identifier: MIT
// Copies or clones one file. A copy keeps the contents, the holes, the permissions, the time and
// the attributes that users set; on Windows it keeps no holes and no such attributes. clone_file,
// share_blocks, copy_in_kernel and has_privileges differ between Linux and macOS: see
// posix/linux_files.cpp and posix/apple_files.cpp.
#pragma once

#include <limits>
#include <string>

#include "os/file.hpp"

namespace larder::os {

/// The permissions that a copy takes over from its source. These are neither the set-id bits nor
/// the sticky bit, because the copy belongs to the user that made it.
inline constexpr Permissions copied_permissions = Permissions::all;

/// What a refusal to set the attributes, the permissions or the time of something new is.
enum class Refusal {
    is_error,    ///< in a cache, which keeps what it was given
    is_counted,  ///< outside: some file systems and sandboxes refuse to set them (vfat, FUSE)
};

/// Returns whether `error`, the result of setting such a thing, makes the whole copy fail. Returns
/// false if there was no error, and for a refusal that is counted. A disk that is full or broken
/// makes the copy fail in both cases.
[[nodiscard]] bool is_failure(const std::error_code& error, Refusal refusal) noexcept;

/// A file that is being made. The destructor removes it again unless it was completed. A kill
/// leaves it incomplete under its name.
class NewFile {
public:
    /// Makes an empty file. Errors: Why::exists if something stands at the name. Requires: `dir`
    /// and `name` outlive the NewFile.
    [[nodiscard]] static Result<NewFile> create(const Dir& dir, const std::string& name);
    static Result<NewFile> create(const Dir& dir, std::string&& name) = delete;
    NewFile(NewFile&& other) noexcept
        : dir_(other.dir_), name_(other.name_), file_(std::move(other.file_)) {}
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    /// Returns the file, open for writing. Requires: complete was not called.
    [[nodiscard]] const FileHandle& handle() const noexcept { return file_; }
    /// Gives the file the attributes, the permissions and the time of its source, and closes it.
    /// `info` is what the system knows about `source`. Returns whether the file has them all. A
    /// refused attribute is left out; a refused mode or time is an error unless refusals are
    /// counted. After an error the file is removed, at the latest by the destructor. Call it once.
    [[nodiscard]] Result<bool> complete(const FileHandle& source, const FileInfo& info,
                                        Refusal refusal);

private:
    NewFile(const Dir& dir, const std::string& name, FileHandle file)
        : dir_(dir), name_(name), file_(std::move(file)) {}

    const Dir& dir_;           // the caller's, as `name_` is: for removing the file again
    const std::string& name_;  // in `dir_`
    FileHandle file_;          // none once the file is complete, or moved to another NewFile
};

/// Makes the file `name` with the contents, the attributes, the permissions and the time of
/// `source`. The two files share their blocks until one of them is written to. `info` is what the
/// system knows about `source`. Returns whether the file has all of them: false only if refusals
/// are counted. Leaves nothing at the name after an error. Errors: Errc::unsupported if the system
/// refuses to clone; Why::exists if something stands at the name.
[[nodiscard]] Result<bool> clone_file(const FileHandle& source, const FileInfo& info,
                                      const Dir& dir, const std::string& name, Refusal refusal);

/// What share_blocks has found and done.
enum class BlockSharing {
    made,     ///< the two files share their blocks from now on
    present,  ///< they have shared them before
    differs,  ///< their bytes are not equal; long files may share what stands before that
};

/// Lets `file` use the blocks of `model`, and gives its own ones back, if both hold the same bytes.
/// The kernel compares them, and keeps both files from being written meanwhile. Neither the
/// contents nor the permissions nor the times of a file change. `size` is the size of both. A kill
/// leaves `file` with the blocks of `model` in a part of it. Errors: the system's, if it or the
/// file system cannot do this, or if `file` belongs to another user.
[[nodiscard]] CallResult<BlockSharing> share_blocks(const FileHandle& model, const FileHandle& file,
                                                    std::uint64_t size) noexcept;

/// Some bytes of a file that follow each other.
struct ByteRun {
    std::uint64_t start = 0;
    std::uint64_t length = 0;

    /// The whole file, however long it is.
    static ByteRun whole() noexcept { return {0, std::numeric_limits<std::uint64_t>::max()}; }
};

/// Returns the first run of data of a file at or after `from`, and before `size`. Its length is 0
/// if nothing but a hole follows there. If the file system does not tell where its holes are, all
/// from `from` to `size` counts as data, so that no data are ever taken for a hole.
[[nodiscard]] ByteRun next_data(const FileHandle& file, std::uint64_t from,
                                std::uint64_t size) noexcept;

/// Copies a run of `from` to the same place in `to` inside the kernel. Returns the run that is left
/// because the kernel or the file system refused to copy it, and which the caller must read and
/// write; a run of length 0 if nothing is left, also because `from` ended before. Errors: those
/// that a copy by reading and writing would meet as well, such as a full disk.
[[nodiscard]] CallResult<ByteRun> copy_in_kernel(const FileHandle& from, const FileHandle& to,
                                                 ByteRun run) noexcept;

/// Gives the open file or directory `to` the attributes of `from` that users set: on Linux those
/// whose names begin with "user.". A file system that answers "not supported" to a list of them has
/// none. An attribute that can't be read, or that the file system of `to` refuses, is left out.
/// Returns whether none was left out. Returns the system's error if a disk is full or broken, and
/// then `to` may have some of the attributes.
[[nodiscard]] CallResult<bool> copy_attributes(const FileHandle& from, const FileHandle& to);

/// Returns whether a file has privileges that a copy leaves out and a hard link would hand on: a
/// set-id or sticky bit, capabilities, or an access control list. `info` is what the system knows
/// about the file. Returns true if the system does not tell.
[[nodiscard]] bool has_privileges(const Dir& dir, const std::string& name, const FileInfo& info);

}  // namespace larder::os
