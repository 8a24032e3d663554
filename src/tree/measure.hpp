// SPDX-License-Identifier: MIT
// What a staged tree holds, and how it is brought safely to the disk.
#pragma once

#include <cstdint>

#include "os/file.hpp"

namespace larder::tree {

struct Size {
    std::uint64_t bytes = 0;  ///< the sum of the files' sizes
    std::uint64_t files = 0;  ///< everything that is not a directory
};

/// Walks the tree without following symlinks.
[[nodiscard]] Result<Size> measure(const os::Dir& tree);

/// Afterwards every file and directory of the tree survives a power cut: an fsync for each, or one syncfs, whichever costs less
/// for that many files (see the number's reason in the source).
[[nodiscard]] Result<> sync(const os::Dir& tree, const Size& size);

}  // namespace larder::tree
