// SPDX-License-Identifier: MIT
// Collects or evicts for a call, and tells the listeners of evictions.
#pragma once

#include "api/call.hpp"

namespace larder::detail {

/// Collects; evicts first if there are limits. Tells the listeners of each eviction. If some things
/// could not be done, gives the report to CollectOptions::on_partial and returns the first of these
/// errors. See Cache::collect.
[[nodiscard]] Result<CollectReport> collect(const protocol::RootRef& root, const Limits& limits,
                                            const CollectOptions& options, Call& call);
/// Does the same, but evicts the entries that a plan names. See Cache::evict.
[[nodiscard]] Result<CollectReport> evict(const protocol::RootRef& root, const EvictionPlan& plan,
                                          const CollectOptions& options, Call& call);

/// Calls `step`, which returns a Result<>, and returns its result. If the disk has no space for it,
/// collects, and calls `step` once more. On some file systems, such as ext4 and xfs, even a rename
/// needs space. So a remove or a refresh may find none, although it is what frees space.
template <class Step>
[[nodiscard]] Result<> retry_after_collect(const protocol::RootRef& root, Call& call, Step step) {
    Result<> done = step();
    if (done || done.error().code != Errc::no_space) return done;
    // If nothing could be collected, a second try would fail like the first one.
    if (!collect(root, {}, {}, call)) return done;
    return step();
}

}  // namespace larder::detail
