// SPDX-License-Identifier: MIT
// Makes a file like another one.
#pragma once

#include <string>

#include "os/file.hpp"

namespace larder::os {

/// What a copy has of the permissions of its source: neither the set-id bits nor the sticky bit, as
/// it belongs to the user who made it.
inline constexpr Permissions copied_permissions = Permissions::all;

/// A file that is being made. It is removed again unless it is completed.
class NewFile {
public:
    /// Makes an empty file. `dir` and `name` must outlive it.
    [[nodiscard]] static Result<NewFile> create(const Dir& dir, const std::string& name);
    NewFile(NewFile&& other) noexcept
        : dir_(other.dir_), name_(other.name_), file_(std::move(other.file_)) {}
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    [[nodiscard]] const FileHandle& handle() const noexcept { return file_; }
    /// Gives it the permissions and the time of its source, and closes it.
    [[nodiscard]] Result<> complete(const FileInfo& source);

private:
    NewFile(const Dir& dir, const std::string& name, FileHandle file)
        : dir_(dir), name_(name), file_(std::move(file)) {}

    const Dir& dir_;
    const std::string& name_;
    FileHandle file_;
};

/// Makes the file `name`, which shares the blocks of `source` until one of the two is written to,
/// and has its permissions and time. `info` is of the source.
[[nodiscard]] Result<> clone_file(const FileHandle& source, const FileInfo& info, const Dir& dir,
                                  const std::string& name);

/// Copies the whole of `from` to `to` inside the kernel. Returns false if nothing was copied,
/// because the kernel or the file system can't do that; then the caller reads and writes.
[[nodiscard]] Result<bool> copy_in_kernel(const FileHandle& from, const FileHandle& to,
                                          const std::filesystem::path& path);

}  // namespace larder::os
