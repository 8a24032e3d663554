// SPDX-License-Identifier: MIT
// Copies or clones one file. clone_file and copy_in_kernel differ between Linux and macOS: see
// posix/linux_files.cpp and posix/apple_files.cpp.
#pragma once

#include <string>

#include "os/file.hpp"

namespace larder::os {

/// The permissions that a copy takes over from its source. These are neither the set-id bits nor
/// the sticky bit, because the copy belongs to the user that made it.
inline constexpr Permissions copied_permissions = Permissions::all;

/// A file that is being made. The destructor removes it again unless it was completed.
class NewFile {
public:
    /// Makes an empty file. `dir` and `name` must outlive it.
    [[nodiscard]] static Result<NewFile> create(const Dir& dir, const std::string& name);
    NewFile(NewFile&& other) noexcept
        : dir_(other.dir_), name_(other.name_), file_(std::move(other.file_)) {}
    NewFile& operator=(NewFile&&) = delete;
    ~NewFile();

    [[nodiscard]] const FileHandle& handle() const noexcept { return file_; }
    /// Gives the file the permissions and the time of its source, and closes it.
    [[nodiscard]] Result<> complete(const FileInfo& source);

private:
    NewFile(const Dir& dir, const std::string& name, FileHandle file)
        : dir_(dir), name_(name), file_(std::move(file)) {}

    const Dir& dir_;
    const std::string& name_;
    FileHandle file_;
};

/// Makes the file `name` with the permissions and the time of `source`. The two files share their
/// blocks until one of them is written to. `info` is what the system knows about `source`. Fails
/// with Errc::unsupported if the system refuses that.
[[nodiscard]] Result<> clone_file(const FileHandle& source, const FileInfo& info, const Dir& dir,
                                  const std::string& name);

/// Copies the rest of `from` to `to` inside the kernel. Returns false if some of it is left because
/// the kernel or the file system refused to copy it. Then the caller must read and write the rest:
/// both files stand at the place from which on nothing was copied.
[[nodiscard]] Result<bool> copy_in_kernel(const FileHandle& from, const FileHandle& to,
                                          const std::filesystem::path& path);

}  // namespace larder::os
