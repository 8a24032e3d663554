// SPDX-License-Identifier: MIT
// Deletes trees that nobody uses any more. Follows no symlink, crosses no mount, and is done by descriptors: whatever is
// renamed or swapped under it, it deletes nothing outside the directory it was given.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>

#include "os/file.hpp"

namespace larder::tree {

struct Removed {
    std::uint64_t files = 0;
    std::uint64_t directories = 0;
    std::uint64_t freed = 0;      ///< bytes that the disk gets back, where they were to be counted
    bool freed_at_least = false;  ///< what some files share with others could not be told
};

struct RemoveOptions {
    unsigned threads = 0;  ///< as in CollectOptions
    bool count_freed = false;
    std::stop_token stop{};
    std::function<void(std::uint64_t files)>
        on_progress{};  ///< now and then, from any of the threads, never from two at once
};

/// Deletes everything in `dir`, and keeps `dir`. Read-only directories are made writable first; a tree deeper than there are
/// descriptors is taken apart by renaming what is deep up into `dir`. Several processes may empty one directory at a time: what
/// another has deleted already is no error. What can't be deleted (a mount point, an immutable file) is left; the first such
/// error is returned when all else is gone. Errors: `interrupted` where it was asked to stop.
[[nodiscard]] Result<Removed> empty_dir(const os::Dir& dir, const RemoveOptions& options);

/// Deletes the one tree (or file) `name` of `parent` where it stands, by this thread alone. No error where there is none.
[[nodiscard]] Result<Removed> remove_tree_at(const os::Dir& parent, const std::string& name);

}  // namespace larder::tree
