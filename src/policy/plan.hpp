// SPDX-License-Identifier: MIT
// Plan: chooses which live entries go, so that every limit is kept. It takes no lock. It changes
// nothing but the uses that lie in the future, which become now.
#pragma once

#include <deque>
#include <vector>

#include <larder/collect.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"

namespace larder::policy {

/// A live entry that may be evicted. It has only 32 bytes, because a cache may hold millions of
/// entries. Its key is not here, but in its record.
struct EvictionCandidate {
    format::Id id;
    std::uint64_t bytes = 0;
    std::uint32_t used = 0;  ///< the last use, in seconds since 1970; good until 2106
    Eviction::Reason reason : 8 = Eviction::Reason::plan;
    std::uint32_t files : 24 = 0;  ///< at most max_counted_files
};
inline constexpr std::uint32_t max_counted_files = (1U << 24) - 1;
static_assert(sizeof(EvictionCandidate) == 32);

/// Returns a time in seconds since 1970; the nearest one that fits into 32 bits.
[[nodiscard]] std::uint32_t seconds_of(WallTime time) noexcept;

/// Which entries are to go, and what is known of the cache when they are chosen.
struct Plan {
    /// In the order of eviction. A deque grows without copying its elements.
    std::deque<EvictionCandidate> victims;
    std::uint64_t live_entries = 0;  ///< all of them, the victims included
    std::uint64_t live_bytes = 0;
    std::uint64_t to_free = 0;      ///< how many bytes evictions must free to keep min_free
    bool frees_files = true;        ///< false if the victims free too few files for min_free
    bool keeps_age = true;          ///< false if an entry that is too old is leased, and so stays
    std::vector<LeaseInfo> spared;  ///< entries that would be victims, but are leased
};

/// Returns true if one of the patterns fits "BUCKET/KEY".
[[nodiscard]] bool is_kept(const std::vector<std::string>& keep, const std::string& bucket,
                           const std::string& key);

/// Chooses victims by limits. `garbage` is how many bytes the collection frees without any
/// eviction. Of the options, this uses only the progress and the stop. A bucket or an entry that
/// cannot be read is noted in `errors`, and stays out of the plan. Errors: `damaged` if a lease
/// table cannot be read; `interrupted`.
[[nodiscard]] Result<Plan> make_plan(const cache::Root& root, const Limits& limits,
                                     const CollectOptions& options, std::uint64_t garbage,
                                     NotedErrors& errors);

/// Converts the evictions that a caller has chosen to a plan, in their order. It looks at no entry:
/// an id that is gone is found by the eviction. Errors: `invalid` if a text is no id.
[[nodiscard]] Result<Plan> read_plan(const std::vector<Eviction>& evictions);

}  // namespace larder::policy
