// SPDX-License-Identifier: MIT
// Carries a tree from one directory to another: walks the tree, and transfers each file, symlink
// and directory by clone, hard link or copy (transfer.hpp). Staging::copy_from, restore and
// materialize use this.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include <larder/materialize.hpp>

#include "os/file.hpp"
#include "tree/transfer.hpp"

namespace larder::tree {

/// Where a tree is carried to.
struct Destination {
    const os::Dir& dir;
    Visibility visibility = Visibility::visible;
    os::Refusal refusal = os::Refusal::is_error;  ///< if a mode or a time can't be set there
};

/// How the files of an entry were when it was published.
struct PublishedFiles {
    os::FileTime newest;  ///< the latest time of modification
    /// Returns in words what is wrong with a file that was modified after that time; nullopt if it
    /// is as it was. `path` is its path below the source. Any thread may call it.
    std::function<Result<std::optional<std::string>>(const os::Dir& dir, const std::string& name,
                                                     const os::FileInfo& info,
                                                     const std::string& path)>
        fault_of;
};

/// Makes the destination hold everything that `source` holds, and returns how many files arrived in
/// which way. Directories that stand there are filled, and missing ones are made. Names of one file
/// become names of one file. Follows no symlink below either directory.
///
/// Requires: `source` does not change during the call.
/// Errors: the first one; what was made by then stays. `exists` if something stands in the way that
/// may not be replaced; `unsupported` if the options ask for a way that does not work here;
/// `invalid` if the destination lies inside the source, or if the source holds a socket, a pipe or
/// a device; `damaged` if a file of the source is not as it was published, unless `published` is
/// null.
/// Concurrency: several calls may fill one destination at a time.
/// Crash: the same call, with `replace`, completes what was begun.
[[nodiscard]] Result<MaterializeReport> carry(const os::Dir& source, const Destination& destination,
                                              const MaterializeOptions& options,
                                              const PublishedFiles* published = nullptr);

/// Does the same with the one file or symlink `name` of `source`. Errors: also `invalid` if `name`
/// is a directory.
[[nodiscard]] Result<MaterializeReport> carry_file(const os::Dir& source, const std::string& name,
                                                   const Destination& destination,
                                                   const MaterializeOptions& options);

}  // namespace larder::tree
