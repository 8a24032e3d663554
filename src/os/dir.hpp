// SPDX-License-Identifier: MIT
// Directories by handle. Everything below the root of a cache is reached by such a handle and a
// name.
//
// A name is a single component, or "bucket/key" below `buckets/`. No call follows a symlink in the
// last component. A call that a signal interrupts is made again.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "os/error.hpp"
#include "os/handle.hpp"
#include "os/path_text.hpp"

namespace larder::os {

/// The path that a directory had when it was opened. It is one text. A std::filesystem::path keeps
/// each component by itself, and with it, opening a chain of 4,000 directories took 16 s.
class DirPath {
public:
    DirPath() = default;
    // Not explicit: callers that open a directory by its path have a std::filesystem::path.
    DirPath(const std::filesystem::path& whole) : text_(text_of(whole)) {}

    /// Returns the path of `name` in this directory. If the path is longer than any system call
    /// accepts, the names in its middle are replaced by "...", so that a walk down a tree costs the
    /// same at each level.
    [[nodiscard]] DirPath below(std::string_view name) const;

    [[nodiscard]] const std::string& string() const noexcept { return text_; }
    operator std::filesystem::path() const { return path_of(text_); }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
        return path_of(text_) / path_of(name);
    }

private:
    std::string text_;
};

/// An open directory, and the path that it had when it was opened. The path is for messages, never
/// for access: the directory may have been renamed since. In a cache that was opened read-only, a
/// directory that only writers need may be missing. Then its Dir has no handle, and counts as an
/// empty directory.
struct Dir {
    FileHandle handle;
    DirPath path;

    [[nodiscard]] bool is_open() const noexcept { return static_cast<bool>(handle); }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
        return path / name;
    }
};

/// Read, write and execute for owner, group and others, and the set-id bits. On a system without
/// such bits, a file has all the permissions that this process has on it.
using Permissions = std::filesystem::perms;

/// Opens a directory by a path that a caller gave, and follows symlinks.
[[nodiscard]] Result<Dir> open_dir(const std::filesystem::path& path);
/// Opens a directory in the same way, of which the caller only makes, opens, renames and removes
/// names. So it may be one that this process can search and not list, such as a drop directory.
[[nodiscard]] Result<Dir> open_dir_for_names(const std::filesystem::path& path);
/// Opens a directory. Fails with Why::absent if nothing stands there, and with Why::is_link or
/// Why::not_directory if something else does. If `parent` has no handle, nothing stands there.
[[nodiscard]] Result<Dir> open_dir_at(const Dir& parent, const std::string& name);
/// Does the same for a directory of which the caller only makes, opens, renames and removes names:
/// see open_dir_for_names.
[[nodiscard]] Result<Dir> open_dir_for_names_at(const Dir& parent, const std::string& name);
/// Does what open_dir_at does, and fails with Why::cross_device if something is mounted at `name`.
/// If sees_bind_mounts() is false, it only compares devices. Then it does not notice a directory of
/// the same file system that is mounted here a second time (a bind mount).
[[nodiscard]] Result<Dir> open_dir_unmounted_at(const Dir& parent, const std::string& name);
/// Returns whether open_dir_unmounted_at notices all mounts. Returns false from the first call on
/// for which the kernel has refused to check that. So ask after a call, and not before it: the
/// call's own directory may be the first one that was opened without the full check.
[[nodiscard]] bool sees_bind_mounts() noexcept;
/// Makes the directory if it is missing, then opens it. Errors are those of open_dir_at and
/// make_dir_at. After an error a new directory may stand there.
[[nodiscard]] Result<Dir> make_and_open_dir_at(const Dir& parent, const std::string& name);

/// Makes a directory with these permissions, less the umask. Fails with Why::exists if something
/// stands there.
[[nodiscard]] Result<> make_dir_at(const Dir& parent, const std::string& name,
                                   Permissions permissions = Permissions::owner_all);
/// Makes a directory at a path that a caller gave, for its owner alone, unless something stands
/// there already: a directory, or anything else.
[[nodiscard]] Result<> make_dir_if_missing(const std::filesystem::path& path);
/// Removes a directory. Fails with Why::not_empty or Why::exists if it is not empty.
[[nodiscard]] Result<> remove_dir_at(const Dir& parent, const std::string& name);

/// Returns whether this process may remove a directory of its own, if that is empty and nothing is
/// mounted on it.
[[nodiscard]] Result<bool> may_remove_dir_at(const Dir& parent, const std::string& name);

/// Returns whether this process may list the directory and change what is in it.
[[nodiscard]] Result<bool> is_writable(const Dir& dir);

}  // namespace larder::os
