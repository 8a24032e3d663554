// SPDX-License-Identifier: MIT
// How much a cache may hold.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace larder {

/// The limits within which a collection keeps a cache. It evicts the entries that were least
/// recently used until every limit is kept. Without a limit it evicts nothing.
///
/// An entry stays, and counts, if it is leased or pinned, if it fits a pattern of `keep`, or if it
/// was used after the collection had chosen it. (A use is written down at most once an hour for
/// each entry.)
struct Limits {
    /// In bytes: the sizes in the records of all live entries, added up.
    std::optional<std::uint64_t> max_size{};
    /// An entry goes if it was not used for longer, whatever the other limits say. A use is a
    /// publish or a get.
    std::optional<std::chrono::seconds> max_age{};
    std::optional<std::uint64_t> max_entries{};  ///< how many live entries there may be
    /// Bytes that must be free on the disk. If the disk can hold only so many files (inodes), the
    /// same share of them must be free. The collection adds up the sizes in the records. If other
    /// programs take the space, or have hard links to evicted files, less may be free afterwards.
    std::optional<std::uint64_t> min_free{};
    /// A percentage, from 1 to 100. If a limit is passed, the collection goes on until the cache is
    /// at this percentage of it, so that a cache at its limit does not evict one entry for each
    /// publish. (For min_free it goes on until min_free is this percentage of the free space.) 90
    /// is arbitrary.
    unsigned low_water = 90;
    /// Glob patterns (fnmatch(3)) for "BUCKET/KEY"; `*` matches a slash too.
    std::vector<std::string> keep{};

    /// Returns true if a limit is set, that is if a collection may evict something.
    [[nodiscard]] bool any() const noexcept {
        return max_size || max_age || max_entries || min_free;
    }
};

}  // namespace larder
