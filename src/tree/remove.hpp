// SPDX-License-Identifier: MIT
// Deletes trees that are no longer in use. It follows no symlink, crosses no mount, and works by
// directory handles. So it deletes nothing outside the directory that it was given, even if another
// process renames or replaces directories during the call.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "os/file.hpp"

namespace larder::tree {

/// What a deletion has done.
struct Removed {
    std::uint64_t files = 0;
    std::uint64_t directories = 0;
    std::uint64_t freed = 0;  ///< bytes that the disk gets back, if count_freed was set
    /// More may be freed than `freed`: the file system does not tell what some files share.
    bool freed_at_least = false;
};

/// How a tree is deleted. The defaults delete it by some threads, to the end.
struct RemoveOptions {
    unsigned threads = 0;  ///< as in CollectOptions
    bool count_freed = false;
    std::stop_token stop{};
    /// Called now and then, from any of the threads, but never from two at once.
    std::function<void(std::uint64_t files)> on_progress{};
};

/// Deletes everything in `dir` and keeps `dir` itself. Read-only directories are made writable
/// first. Directories that are too deep for the available descriptors are first renamed up into
/// `dir`.
///
/// Errors: the first file that cannot be deleted (a mount point, an immutable file) is returned as
/// an error when all others are gone. `interrupted` if the call was asked to stop.
/// Concurrency: several processes may empty one directory at a time. A file that another process
/// has deleted is no error.
[[nodiscard]] Result<Removed> empty_dir(const os::Dir& dir, const RemoveOptions& options);

/// Gives the owner of a directory the right to list and to change it, if that is missing. Best
/// effort: the next step tells if it was refused.
void allow_owner(const os::Dir& dir);
/// Does the same for the directory or the file `name`. Passes over a symlink.
void allow_owner_at(const os::Dir& parent, const std::string& name);

/// Deletes the tree or file `name` of `parent` in place, by this thread alone. It is no error if
/// nothing stands there. Errors: `interrupted` if the call was asked to stop.
[[nodiscard]] Result<Removed> remove_tree_at(const os::Dir& parent, const std::string& name,
                                             const std::stop_token& stop = {});

}  // namespace larder::tree
