// SPDX-License-Identifier: MIT
// The roots of entries: the paths outside of the cache that keep an entry. This file reads them,
// asks whether they count, and drops those that do not. link.hpp makes them.
#pragma once

#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include <larder/report.hpp>

#include "cache/root.hpp"
#include "format/root_file.hpp"

namespace larder::protocol {

/// A root as it was read.
struct FoundRoot {
    format::Id id;     ///< the entry that it keeps
    std::string name;  ///< in `roots/<id>/`
    /// Empty if it can't be read as a root. Then it counts: a newer larder may have made it.
    std::optional<format::RootFile> file;
    std::optional<Error> error;  ///< why it can't be read; none if what was read is no root
};

/// Returns whether a path leads to the tree of an entry, through any number of symlinks. Errors:
/// whatever keeps it from being told.
[[nodiscard]] Result<bool> leads_to_tree(const cache::Root& root, const format::Id& id,
                                         const std::filesystem::path& path);
/// Returns whether a root counts, by a look at its path. It counts if the path leads to the entry,
/// and if that can't be told: the path can't be looked at, or the nearest directory that exists at
/// or above its directory lies on another device than the root has recorded. Then the disk is not
/// mounted, or this process sees other directories than the one that has made the root.
[[nodiscard]] RootInfo::State state_of(const cache::Root& root, const FoundRoot& found);
/// Returns whether an entry with a root of this state is kept.
[[nodiscard]] constexpr bool keeps(RootInfo::State state) noexcept {
    return state != RootInfo::State::gone;
}

/// Returns what is known of a root, with the bucket and the key of its entry if its record can be
/// read.
[[nodiscard]] RootInfo info_of(const cache::Root& root, const FoundRoot& found,
                               RootInfo::State state);

/// Calls `visit` for each root of the entry `id`. Goes on after an error, and returns the first one
/// at its end.
[[nodiscard]] Result<> for_each_root_of(const cache::Root& root, const format::Id& id,
                                        const std::function<Result<>(const FoundRoot&)>& visit);
/// Does the same for the roots of all entries.
[[nodiscard]] Result<> for_each_root(const cache::Root& root,
                                     const std::function<Result<>(const FoundRoot&)>& visit);
/// Returns the entries that have a directory in `roots/`.
[[nodiscard]] Result<std::vector<format::Id>> rooted_ids(const cache::Root& root);

/// Returns a root that keeps the entry `id`; nullopt if none does. An entry that has no root costs
/// one or two system calls. Errors: its roots can't be read, so that it may have one.
/// Requires: a caller that deletes the entry has read the slots before this call.
[[nodiscard]] Result<std::optional<RootInfo>> root_that_keeps(const cache::Root& root,
                                                              const format::Id& id);

/// Drops the roots of a list that still are as the caller has judged them: `may_drop` says so of
/// the state of a root. A root stays if its entry is leased, because a link may be at work. Returns
/// how many were dropped, and reports each to `on_dropped`.
///
/// A link may make the same root anew at any time. So each root first gets another name, where it
/// counts as before. Then the slots are read, and then each path is looked at once more.
/// Errors: `damaged` if a lease table can't be read; those of renaming and removing.
/// Crash: a root may have another name.
[[nodiscard]] Result<> drop_roots(const cache::Root& root, std::vector<FoundRoot> roots,
                                  const std::function<bool(RootInfo::State)>& may_drop,
                                  const std::function<void(const FoundRoot&)>& on_dropped);

/// Removes the roots of an entry that is gone. It is no error if there are none.
[[nodiscard]] Result<> remove_roots_of(const cache::Root& root, const format::Id& id);

/// Drops what Cache::prune_roots says.
[[nodiscard]] Result<PruneReport> prune_roots(const cache::Root& root, const PruneOptions& options);

}  // namespace larder::protocol
