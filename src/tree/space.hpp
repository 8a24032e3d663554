// SPDX-License-Identifier: MIT
// How much space a disk gets back when files are deleted: hard links and clones keep what they share.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "os/file.hpp"

namespace larder::tree {

/// What deleting one name gives back.
struct GivenBack {
    std::uint64_t bytes = 0;
    bool at_least = false;
};

/// Counts it. To be asked from several threads at a time.
class SpaceCount {
public:
    /// Files of `dir`'s file system. Where nothing is to be counted every look costs nothing.
    SpaceCount(bool wanted, const os::Dir& dir);

    /// Before the name is unlinked. A file with another hard link gives nothing back, until that goes; of two that go at once from two threads
    /// both may say so, and the count is then too low.
    [[nodiscard]] GivenBack look_at(const os::Dir& dir, const std::string& name) const;
    /// After it was.
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
