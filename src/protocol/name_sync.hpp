// SPDX-License-Identifier: MIT
// Brings to the disk what was renamed between directories.
#pragma once

#include <vector>

#include "cache/root.hpp"

namespace larder::protocol {

/// Syncs directories, one after the other, so that what was renamed between them survives a power
/// cut. A caller names them in this order: what a name was brought to comes before what it has
/// left. So a cut between the two leaves a name in both places, and never in none.
///
/// On btrfs, whose log holds single directories, the whole file system is synced at the end in
/// their place: see FileSystemTraits::logs_single_directories.
class NameSync {
public:
    explicit NameSync(const cache::Root& root);
    explicit NameSync(const os::Dir& root);

    /// Syncs the directory, now or in end(). It must stay open until then.
    [[nodiscard]] Result<> add(const os::Dir& dir);
    /// Returns when the names in all these directories are on the disk.
    [[nodiscard]] Result<> end();
    /// Returns whether end() has synced the whole file system.
    [[nodiscard]] bool has_synced_all() const noexcept { return has_synced_all_; }

private:
    bool at_once_;
    std::vector<const os::Dir*> left_;  ///< that end() has to sync
    bool has_synced_all_ = false;
};

/// Syncs the bytes of a link, or of a pointer, if it is a file. In a staging area, a caller does so
/// before it renames the link to its place. Otherwise a power cut could leave an empty file where a
/// complete link stood before.
[[nodiscard]] Result<> sync_link(const cache::Root& root, const os::Dir& dir,
                                 const std::string& name);

/// Returns the result of the syncs that follow a change. An error then says that the change was
/// made all the same. It is never `no_space`, after which a caller would make room and make the
/// change once more.
[[nodiscard]] Result<> after_change(Result<> synced);

}  // namespace larder::protocol
