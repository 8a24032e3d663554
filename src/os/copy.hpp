// SPDX-License-Identifier: MIT
// Copies or clones one file. A copy keeps the contents, the holes, the permissions, the time and
// the attributes that users set. clone_file, copy_in_kernel and what concerns attributes differ
// between Linux and macOS: see posix/linux_files.cpp and posix/apple_files.cpp.
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

/// Returns the result of having set something: whether it was set. If `error` is a refusal that is
/// counted, that is false. A disk that is full or broken is an error in both cases.
[[nodiscard]] Result<bool> was_set(const std::error_code& error, const char* step,
                                   const std::filesystem::path& path, Refusal refusal);

/// A file that is being made. The destructor removes it again unless it was completed. A kill
/// leaves it incomplete under its name.
class NewFile {
public:
    /// Makes an empty file. `dir` and `name` must outlive it.
    [[nodiscard]] static Result<NewFile> create(const Dir& dir, const std::string& name);
    NewFile(NewFile&& other) noexcept
        : dir_(other.dir_), name_(other.name_), file_(std::move(other.file_)) {}
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    [[nodiscard]] const FileHandle& handle() const noexcept { return file_; }
    /// Gives the file the attributes, the permissions and the time of its source, and closes it.
    /// Returns whether it has them all: false only if refusals are counted. After an error the file
    /// is removed, at the latest by the destructor. `info` is what the system knows about `source`.
    [[nodiscard]] Result<bool> complete(const FileHandle& source, const FileInfo& info,
                                        Refusal refusal);

private:
    NewFile(const Dir& dir, const std::string& name, FileHandle file)
        : dir_(dir), name_(name), file_(std::move(file)) {}

    const Dir& dir_;
    const std::string& name_;
    FileHandle file_;
};

/// Makes the file `name` with the attributes, the permissions and the time of `source`. The two
/// files share their blocks until one of them is written to. `info` is what the system knows about
/// `source`. Returns the same as NewFile::complete. Fails with Errc::unsupported if the system
/// refuses to clone.
[[nodiscard]] Result<bool> clone_file(const FileHandle& source, const FileInfo& info,
                                      const Dir& dir, const std::string& name, Refusal refusal);

/// Some bytes of a file that follow each other.
struct ByteRun {
    std::uint64_t start = 0;
    std::uint64_t length = 0;

    /// The whole file, however long it is.
    static ByteRun whole() noexcept { return {0, std::numeric_limits<std::uint64_t>::max()}; }
};

/// Returns the first run of data of a file at or after `from`. Its length is 0 if nothing but a
/// hole follows. If the file system does not know its holes, all up to `size` is data.
[[nodiscard]] ByteRun next_data(const FileHandle& file, std::uint64_t from,
                                std::uint64_t size) noexcept;

/// Copies a run of `from` to the same place in `to` inside the kernel. Returns the run that is left
/// because the kernel or the file system refused to copy it. Then the caller must read and write.
[[nodiscard]] CallResult<ByteRun> copy_in_kernel(const FileHandle& from, const FileHandle& to,
                                                 ByteRun run) noexcept;

/// Gives the open file or directory `to` the attributes of `from` that users set: on Linux those
/// whose names begin with "user.". An attribute that the file system of `to` refuses is left out.
/// Returns the system's error if the disk is full or broken; a false error_code if there was none.
[[nodiscard]] std::error_code copy_attributes(const FileHandle& from, const FileHandle& to);

/// Returns whether a file has what a copy leaves out, and what a hard link would hand on: a set-id
/// or sticky bit, capabilities, or an access control list. `info` is what the system knows about
/// the file. Returns true if the system does not tell.
[[nodiscard]] bool has_privileges(const Dir& dir, const std::string& name, const FileInfo& info);

}  // namespace larder::os
