// SPDX-License-Identifier: MIT
// Finds out whether a path that a caller gave lies inside a cache or contains one.
#pragma once

#include <optional>

#include <larder/error.hpp>

namespace larder::tree {

/// Returns the root of the cache that `path` lies in, or nullopt if it lies in none. Symlinks are
/// resolved. `path` need not exist. Errors: the system's, if it does not tell. That is no answer: a
/// caller that took it for nullopt would move or overwrite the files of an entry.
[[nodiscard]] Result<std::optional<std::filesystem::path>> enclosing_cache(
    const std::filesystem::path& path);

/// Returns true if `path` leads to the tree of an entry: to `archive/<id>/tree` in a cache.
/// Symlinks are resolved. The tree need not exist. Errors: as enclosing_cache.
[[nodiscard]] Result<bool> is_entry_tree(const std::filesystem::path& path);

/// Returns true if `inner` is `outer` or lies below it. Symlinks in both are resolved, and two
/// names of one directory count as one. Neither need exist. Errors: as enclosing_cache.
[[nodiscard]] Result<bool> lies_within(const std::filesystem::path& inner,
                                       const std::filesystem::path& outer);

}  // namespace larder::tree
