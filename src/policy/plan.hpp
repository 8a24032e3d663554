// SPDX-License-Identifier: MIT
// Plan: chooses which live entries go, so that every limit is kept. It takes no lock. It changes
// nothing but the uses: those in the rings are settled, and those that lie in the future become
// now.
//
// A plan comes in parts, because a cache may hold more entries than should lie in memory at once.
// Each part is made by a look at all entries, and has the victims that come next in the order.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <larder/collect.hpp>

#include "base/noted_errors.hpp"
#include "base/saturate.hpp"
#include "cache/rings.hpp"
#include "cache/root.hpp"
#include "format/id.hpp"

namespace larder::policy {

/// A live entry that may be evicted. It has only 32 bytes, because a part of a plan holds many of
/// them. Its key is not here, but in its record.
struct EvictionCandidate {
    format::Id id;
    std::uint64_t bytes = 0;  ///< 0 if no limit needs to know it
    std::uint32_t used = 0;   ///< the last use, in seconds since 1970; good until 2106
    Eviction::Reason reason : 8 = Eviction::Reason::plan;
    std::uint32_t files : 24 = 0;  ///< that its eviction frees; at most max_counted_files
};
inline constexpr std::uint32_t max_counted_files = (1U << 24) - 1;
static_assert(sizeof(EvictionCandidate) == 32);

/// Returns a time in seconds since 1970; the nearest one that fits into 32 bits.
[[nodiscard]] std::uint32_t seconds_of(WallTime time) noexcept;

/// The victims that go next.
struct PlanPart {
    /// In the order of eviction. A deque grows without copying its elements.
    std::deque<EvictionCandidate> victims;
    std::vector<LeaseInfo> spared;  ///< entries that would be victims, but are leased
    std::vector<RootInfo> rooted;   ///< the same, but a root keeps them
    bool is_last = true;            ///< true if no victims come after these
    /// What stood in the rings of uses when the plan began; in the first part only.
    std::optional<cache::Rings> rings;
};
/// Returns the next part of a plan. Is not called again after the last part, or after an error.
using NextPart = std::function<Result<PlanPart>()>;

/// What a plan says of all its parts.
struct PlanTotals {
    std::uint64_t live_entries = 0;  ///< all of them, the victims included
    base::WideSum live_bytes;
    std::uint64_t to_free = 0;  ///< how many bytes evictions must free to keep min_free
    bool frees_files = true;    ///< false if the victims free too few files for min_free
    bool keeps_age = true;      ///< false if an entry that is too old is leased, and so stays
};

/// What a collection frees without any eviction.
struct Garbage {
    std::uint64_t bytes = 0, files = 0;
};

/// Returns true if one of the patterns fits "BUCKET/KEY".
[[nodiscard]] bool is_kept(const std::vector<std::string>& keep, const std::string& bucket,
                           const std::string& key);

/// Reads the rings of uses and, unless it is a dry run, settles the uses in them. Errors: `system`
/// if the lease tables cannot be listed or opened. Requires: the caller of a run that is not dry
/// has the collector's lock.
[[nodiscard]] Result<cache::Rings> read_rings(const cache::Root& root,
                                              const CollectOptions& options);

/// Begins a plan that chooses victims by limits. `garbage` is counted as free. Of the options, this
/// uses only the progress and the stop. Each call of the result looks at all entries, and returns a
/// part with the next victims, which no earlier part named. The parts after the first leave out
/// what was used since the plan began. After each part, `totals` has what is known so far:
/// `frees_files` and `keeps_age` are final after the last part, and the others after the first. A
/// bucket or an entry that cannot be read is noted in `errors`, and stays out of the plan. Errors
/// of the result: `damaged` if a lease table cannot be read; `interrupted`. Requires: all that is
/// passed outlives the result.
[[nodiscard]] NextPart begin_plan(const cache::Root& root, const Limits& limits,
                                  const CollectOptions& options, const Garbage& garbage,
                                  PlanTotals& totals, NotedErrors& errors);

/// Converts the evictions that a caller has chosen to a plan, in their order. It looks at no entry:
/// an id that is gone is found by the eviction. Errors: `invalid` if a text is no id.
[[nodiscard]] Result<PlanPart> read_plan(const std::vector<Eviction>& evictions);

}  // namespace larder::policy
