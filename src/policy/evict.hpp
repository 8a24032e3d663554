// SPDX-License-Identifier: MIT
// Evict: retires the live entries that a plan names, and then collects.
#pragma once

#include <functional>

#include <larder/collect.hpp>

#include "base/noted_errors.hpp"
#include "base/saturate.hpp"
#include "cache/locks.hpp"
#include "policy/plan.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::policy {

/// How far an eviction has come, once it has ended.
struct Evicted {
    bool had_room = true;   ///< false if the disk had no space, not even for a rename
    bool all_done = true;   ///< false if it ended early: without space, or stopped on request
    bool keeps_age = true;  ///< false if a victim that is too old stays
    base::WideSum bytes;    ///< of the evicted entries, as the plan knows them
};

/// What an eviction works with, and where it notes what it has done. All of it belongs to the
/// collection that calls the eviction.
struct EvictionWork {
    cache::Root& root;
    const CollectOptions& options;
    const cache::CallContext& context;
    CollectReport& report;
    NotedErrors& errors;
};

/// Evicts the victims of a plan, in its order, part by part. A victim stays if a pattern of `keep`
/// fits it, or if it was leased, pinned, used or replaced since. A victim that cannot be retired is
/// noted in EvictionWork::errors, and stops no other. Ends early if the disk has no space, if
/// `next_part` fails, if the leases are unknown, or on request. In a dry run it retires nothing,
/// and counts the same victims. Requires: the caller holds the collector's lock.
[[nodiscard]] Evicted evict(const NextPart& next_part, const std::vector<std::string>& keep,
                            const EvictionWork& work);

/// Adds the report of a later collection to `sum`. What cannot be added up, such as the live
/// entries, comes from the later report. If the later one does not know the freed space, neither
/// does the sum; if an earlier one does not, it counts as 0.
void add_report(CollectReport& sum, CollectReport later);

/// Evicts some entries, and says how far it has come. Called under the collector's lock.
using EvictSome = std::function<Evicted(const EvictionWork& work)>;

/// Collects as protocol::collect does, and calls `evict_some` after the dead participants were
/// reaped. If `evict_some` finds no space on the disk, this deletes what was evicted by then, which
/// frees some space, and begins again. If that frees none, the first of CollectReport::failures is
/// `no_space`.
[[nodiscard]] Result<CollectReport> collect_evicting(const protocol::RootRef& root,
                                                     const CollectOptions& options,
                                                     const cache::CallContext& context,
                                                     const EvictSome& evict_some);

/// Collects, and evicts what the plan of a caller names. See Cache::evict.
[[nodiscard]] Result<CollectReport> collect_by_plan(const protocol::RootRef& root,
                                                    const EvictionPlan& plan,
                                                    const CollectOptions& options,
                                                    const cache::CallContext& context);

}  // namespace larder::policy
