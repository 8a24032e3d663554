// SPDX-License-Identifier: MIT
// Collects or evicts for a call, and tells the listeners of evictions.
#pragma once

#include "api/call.hpp"

namespace larder::detail {

/// Collects; evicts first if there are limits. See Cache::collect.
[[nodiscard]] Result<CollectReport> collect(const protocol::RootRef& root, const Limits& limits,
                                            const CollectOptions& options, Call& call);
/// Evicts what a plan names, and collects. See Cache::evict.
[[nodiscard]] Result<CollectReport> evict(const protocol::RootRef& root, const EvictionPlan& plan,
                                          const CollectOptions& options, Call& call);

/// Calls `step`, which returns a Result<>. If the disk has no space for it, collects, and calls
/// `step` once more. (On some file systems, such as ext4 and xfs, even a rename needs space. So
/// remove and refresh may find none.)
template <class Step>
[[nodiscard]] Result<> retry_after_collect(const protocol::RootRef& root, Call& call, Step step) {
    Result<> done = step();
    if (done || done.error().code != Errc::no_space) return done;
    if (!collect(root, {}, {}, call)) return done;
    return step();
}

}  // namespace larder::detail
