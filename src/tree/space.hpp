// SPDX-License-Identifier: MIT
// Counts how much space a disk gets back when files are deleted. Blocks that a hard link or a clone
// still shares are not freed.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "os/file.hpp"

namespace larder::tree {

/// The space that is freed by deleting one name.
struct GivenBack {
    std::uint64_t bytes = 0;
    bool at_least = false;  ///< more may be freed: the file system does not tell what files share
};

/// Adds up freed space. Several threads may call it at a time.
class SpaceCount {
public:
    /// Counts files of `dir`'s file system. If `wanted` is false, every call costs nothing.
    SpaceCount(bool wanted, const os::Dir& dir);

    /// Call this before the name is unlinked. A file frees nothing while it has another hard link.
    /// If two threads delete two links of one file at once, both may see the other link, and the
    /// count is then too low.
    [[nodiscard]] GivenBack look_at(const os::Dir& dir, const std::string& name) const;
    /// Call this after the name was unlinked.
    void add(const GivenBack& given) noexcept;

    [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
    [[nodiscard]] bool is_at_least() const noexcept { return at_least_; }

private:
    const bool wanted_;
    bool files_share_blocks_ = false;  ///< the file system has clones
    std::atomic<std::uint64_t> bytes_{0};
    std::atomic<bool> at_least_{false};
};

}  // namespace larder::tree
