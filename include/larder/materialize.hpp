// SPDX-License-Identifier: MIT
// Puts a copy of a leased tree somewhere else.
#pragma once

#include <cstdint>
#include <filesystem>

#include <larder/error.hpp>

namespace larder {

/// How the files of a tree reach their destination.
enum class LinkMode {
    automatic,  ///< for each file the first that works of: clone, hard link, copy
    clone,      ///< share the blocks until one side is written (btrfs, xfs, APFS)
    hardlink,   ///< share the file: who writes to it in place changes the cache
    copy,
};

struct MaterializeOptions {
    LinkMode mode = LinkMode::automatic;
    bool replace =
        false;  ///< replace files that stand in the way (never directories) instead of failing
    unsigned threads = 0;  ///< 0 takes what the number of files is worth
};

/// How many files went which way.
struct MaterializeReport {
    std::uint64_t cloned = 0;
    std::uint64_t hardlinked = 0;
    std::uint64_t copied = 0;
    std::uint64_t symlinks = 0;
    std::uint64_t directories = 0;  ///< made anew
    std::uint64_t bytes = 0;        ///< in files, whichever way they went
};

/// Afterwards `destination` holds everything that `tree` holds: directories (empty ones too), files, symlinks (as they are,
/// never followed), modes and modification times. Directories that exist are filled, others are made; below `destination` no
/// symlink is followed.
/// Requires: `tree` does not change meanwhile: hold a Lease.
/// Errors: `exists` where a file stands in the way and `replace` is off; `unsupported` where a mode asked for by name does not
/// work here; `invalid` where destination lies inside a cache, or contains the tree's cache. What was written until then
/// stays.
/// Concurrency: several calls may fill one destination at the same time.
[[nodiscard]] Result<MaterializeReport> materialize(const std::filesystem::path& tree,
                                                    const std::filesystem::path& destination,
                                                    const MaterializeOptions& options = {});

}  // namespace larder
