// SPDX-License-Identifier: MIT
// Plan: chooses which live entries go, so that every limit is kept. It takes no lock and changes
// nothing.
#pragma once

#include <deque>
#include <vector>

#include <larder/collect.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"

namespace larder::policy {

/// A live entry that may go. 32 bytes, and without its key, which its record has: a cache may hold
/// millions.
struct EvictionCandidate {
    format::Id id;
    std::uint64_t bytes = 0;
    std::uint32_t used = 0;  ///< the last use, in seconds since 1970; good until 2106
    Eviction::Reason reason = Eviction::Reason::plan;
};
static_assert(sizeof(EvictionCandidate) == 32);

[[nodiscard]] std::uint32_t seconds_of(WallTime time) noexcept;

struct Plan {
    std::deque<EvictionCandidate>
        victims;  ///< in the order in which they are to go. A deque grows without being copied.
    std::uint64_t live_entries = 0;  ///< all, the victims included
    std::uint64_t live_bytes = 0;
    std::uint64_t to_free = 0;  ///< bytes that min_free lacks
    bool keeps_age = true;      ///< nothing that is too old was passed over
    std::vector<LeaseInfo> spared;
};

/// Returns whether one of the patterns fits the key.
[[nodiscard]] bool is_kept(const std::vector<std::string>& keep, const std::string& bucket,
                           const std::string& key);

/// Chooses by limits. `garbage` is how many bytes will be free without any eviction. Of the options
/// only the progress and the stop matter.
[[nodiscard]] Result<Plan> make_plan(const cache::Root& root, const Limits& limits,
                                     const CollectOptions& options, std::uint64_t garbage);

/// Reads a plan that a caller brings. Errors: `invalid`.
[[nodiscard]] Result<Plan> read_plan(const std::vector<Eviction>& evictions);

}  // namespace larder::policy
