// SPDX-License-Identifier: MIT
// Keeps a cache within limits: makes a plan, evicts by it, and collects.
#pragma once

#include <larder/collect.hpp>

#include "cache/call_context.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::policy {

/// Checks the values of the limits. Errors: `invalid`, with the name and the value of a limit that
/// can't be kept.
[[nodiscard]] Result<> check_limits(const Limits& limits);

/// Collects, and evicts until the limits are kept. If `min_free` is set it collects first, so that
/// no live entry is evicted for space that garbage takes. The report adds up both collections, and
/// says in `within_limits` whether the limits are kept. Errors: `invalid`, and those of
/// protocol::collect. See Cache::collect. Requires: a limit is set.
[[nodiscard]] Result<CollectReport> collect_within(const protocol::RootRef& root,
                                                   const Limits& limits,
                                                   const CollectOptions& options,
                                                   const cache::CallContext& context);

}  // namespace larder::policy
