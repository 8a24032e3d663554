// SPDX-License-Identifier: MIT
// Measures a staged tree and writes it to the disk.
#pragma once

#include <cstdint>

#include "os/file.hpp"
#include "tree/digest.hpp"
#include "tree/inventory.hpp"

namespace larder::tree {

/// How much a tree holds. A directory counts for nothing.
struct Size {
    std::uint64_t bytes = 0;  ///< the sum of the files' sizes; a file of several names counts once
    std::uint64_t files = 0;  ///< everything that is not a directory
};

/// Returns the size of a tree that is to become an entry, and adds all that it holds to `inventory`
/// unless that is null, with the digests that `find_digest` tells unless that is null too. An
/// inventory costs one more system call for each directory. Errors: `invalid` if the tree holds a
/// pipe, a socket or a device, because no entry may hold one; the first thing that can't be read;
/// those of `find_digest`.
[[nodiscard]] Result<Size> measure_new(const os::Dir& tree, Inventory* inventory = nullptr,
                                       const FindDigest* find_digest = nullptr);

/// Does the same for a tree that may hold anything. Follows no symlink. Errors: the first thing
/// that can't be read.
[[nodiscard]] Result<Size> measure(const os::Dir& tree, Inventory* inventory = nullptr);

/// What a sync has brought to the disk: the tree alone, or all that the file system holds.
enum class SyncedPart { tree, file_system };
/// Makes every file and directory of the tree survive a power cut: by an fsync for each of them, or
/// by one syncfs if there are many. `size` is what measure has returned. An error means that parts
/// of the tree may not be on the disk; a second call may succeed without having written them.
[[nodiscard]] Result<SyncedPart> sync(const os::Dir& tree, const Size& size);

}  // namespace larder::tree
