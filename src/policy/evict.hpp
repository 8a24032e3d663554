// SPDX-License-Identifier: MIT
// Evict: to retire the live entries that a plan names, and then to collect.
#pragma once

#include <functional>

#include <larder/collect.hpp>

#include "cache/locks.hpp"
#include "policy/plan.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::policy {

/// How far evicting came.
struct Evicted {
    bool had_room = true;   ///< false: the disk had no space for even a rename
    bool all_done = true;   ///< false: it ended early, without room or because it was asked to stop
    bool keeps_age = true;  ///< nothing that is too old stays
};

/// Evicts the plan's victims, except what `keep` fits and what was leased, pinned, used or replaced
/// since. Requires: the collector's lock.
[[nodiscard]] Result<Evicted> evict(cache::Root& root, const Plan& plan,
                                    const std::vector<std::string>& keep,
                                    const CollectOptions& options,
                                    const cache::CallContext& context, CollectReport& report);

/// Adds up what two collections, one after the other, have done.
void add_report(CollectReport& sum, CollectReport more);

/// Collects as protocol::collect does, and calls `evict_some` under the collector's lock, after the
/// dead were reaped. If that has no room, what it has evicted is deleted, which makes some, and all
/// begins again.
[[nodiscard]] Result<CollectReport> collect_evicting(
    const protocol::RootRef& root, const CollectOptions& options, const cache::CallContext& context,
    const std::function<Result<Evicted>(CollectReport& report)>& evict_some);

/// See Cache::evict.
[[nodiscard]] Result<CollectReport> collect_by_plan(const protocol::RootRef& root,
                                                    const EvictionPlan& plan,
                                                    const CollectOptions& options,
                                                    const cache::CallContext& context);

}  // namespace larder::policy
