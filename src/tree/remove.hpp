// Deletes trees that nobody uses any more. Follows no symlink, crosses no mount, and is done by descriptors: whatever is
// renamed or swapped under it, it deletes nothing outside the directory it was given.
#pragma once

#include <cstdint>
#include <os/file.hpp>
#include <string>

namespace larder::tree {

struct Removed {
    std::uint64_t files = 0;
    std::uint64_t directories = 0;
};

/// Deletes everything in `dir`, and keeps `dir`. Read-only directories are made writable first; a tree deeper than there are
/// descriptors is taken apart by renaming what is deep up into `dir`. Several processes may empty one directory at a time: what
/// another has deleted already is no error. What can't be deleted (a mount point, an immutable file) is left; the first such
/// error is returned when all else is gone. `threads` as in CollectOptions.
[[nodiscard]] Result<Removed> empty_dir(const os::Dir& dir, unsigned threads);

/// Deletes the one tree (or file) `name` of `parent` where it stands, by this thread alone. No error where there is none.
[[nodiscard]] Result<Removed> remove_tree_at(const os::Dir& parent, const std::string& name);

}  // namespace larder::tree
