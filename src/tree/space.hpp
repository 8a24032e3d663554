// SPDX-License-Identifier: MIT
// Counts how much space a disk gets back when files are deleted. Blocks that a hard link or a clone
// still shares are not freed.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "os/file.hpp"

namespace larder::tree {

/// The space that a disk gets back if one name is deleted.
struct FreedSpace {
    std::uint64_t bytes = 0;
    bool at_least = false;  ///< more may be freed: the system does not tell what files share
};

/// Adds up freed space. Several threads may call it at a time.
class SpaceCount {
public:
    /// Counts files of `dir`'s file system. If `wanted` is false, the calls below make no system
    /// call, and the sum stays 0.
    SpaceCount(bool wanted, const os::Dir& dir);

    /// Returns what deleting the name will free: nothing if the file has another hard link. Call
    /// this before the name is unlinked, and `add` afterwards. If two threads delete two links of
    /// one file at once, both may meet the other link, and the sum is then too low.
    [[nodiscard]] FreedSpace freed_by_unlinking(const os::Dir& dir, const std::string& name) const;
    /// Adds what freed_by_unlinking has returned, once the name is unlinked.
    void add(const FreedSpace& freed) noexcept;

    /// Returns the sum. It stays at its largest value if it would pass that.
    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    /// Returns whether more may have been freed than bytes() says.
    [[nodiscard]] bool is_at_least() const noexcept { return at_least_; }

private:
    const bool wanted_;
    const bool files_share_blocks_;  ///< the file system has clones
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<bool> at_least_{false};
};

}  // namespace larder::tree
