// SPDX-License-Identifier: MIT
// Collect: to delete what is retired and not leased.
#pragma once

#include <functional>

#include <larder/collect.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Limits are not looked at: that is collect_within_limits'. `evict`, if any, is called under the collector's lock, once the dead were reaped.
[[nodiscard]] Result<CollectReport> collect(
    const RootRef& root, const CollectOptions& options, const cache::CallContext& context,
    const std::function<Result<>(CollectReport&)>& evict = {});

}  // namespace larder::protocol
