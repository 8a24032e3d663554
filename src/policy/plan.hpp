// SPDX-License-Identifier: MIT
// Plan: to choose which live entries go, so that every limit is kept. Looks only: takes no lock, changes nothing.
#pragma once

#include <deque>
#include <vector>

#include <larder/collect.hpp>

#include "cache/root.hpp"
#include "format/id.hpp"

namespace larder::policy {

/// A live entry that may go. 32 bytes, and without its key, which its record has: a cache may hold millions.
struct Candidate {
    format::Id id;
    std::uint64_t bytes = 0;
    std::uint32_t used = 0;  ///< the last use, in seconds since 1970; good until 2106
    Eviction::Reason reason = Eviction::Reason::plan;
};
static_assert(sizeof(Candidate) == 32);

[[nodiscard]] std::uint32_t seconds_of(WallTime time) noexcept;

struct Plan {
    std::deque<Candidate>
        victims;  ///< in the order in which they are to go. A deque grows without being copied.
    std::uint64_t live_entries = 0;  ///< all, the victims included
    std::uint64_t live_bytes = 0;
    std::uint64_t to_free = 0;  ///< bytes that min_free lacks
    bool keeps_age = true;      ///< nothing that is too old was passed over
    std::vector<LeaseInfo> spared;
};

/// Whether `options` set a limit, or bring a plan.
[[nodiscard]] bool has_limits(const CollectOptions& options) noexcept;
/// Errors: `invalid`.
[[nodiscard]] Result<> check_limits(const CollectOptions& options);

/// Whether a pattern of `keep` fits.
[[nodiscard]] bool is_kept(const CollectOptions& options, const std::string& bucket,
                           const std::string& key);

/// `garbage`: bytes that will be free by themselves.
[[nodiscard]] Result<Plan> make_plan(const cache::Root& root, const CollectOptions& options,
                                     std::uint64_t garbage);

}  // namespace larder::policy
