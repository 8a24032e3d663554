// SPDX-License-Identifier: MIT
// Collects for a call: by limits if there are any, and so that the listeners hear of evictions.
#pragma once

#include "api/call.hpp"

namespace larder::detail {

[[nodiscard]] Result<CollectReport> collect(const protocol::RootRef& root, const Limits& limits,
                                            const CollectOptions& options, Call& call);
[[nodiscard]] Result<CollectReport> evict(const protocol::RootRef& root, const EvictionPlan& plan,
                                          const CollectOptions& options, Call& call);

/// Calls `step`, which returns a Result<>. If the disk has no space for it, deletes what is garbage
/// already and calls `step` once more. (A rename can find no space on some file systems, such as
/// ext4 and xfs, so even remove and refresh may.)
template <class Step>
[[nodiscard]] Result<> with_room(const protocol::RootRef& root, Call& call, Step step) {
    Result<> done = step();
    if (done || done.error().code != Errc::no_space) return done;
    if (!collect(root, {}, {}, call)) return done;
    return step();
}

}  // namespace larder::detail
