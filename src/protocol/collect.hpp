// SPDX-License-Identifier: MIT
// Collect: deletes the entries that are retired and not leased.
#pragma once

#include <functional>

#include <larder/collect.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Deletes what is retired and not leased, and writes into the journal what it has done. If `evict`
/// is given, this calls it under the collector's lock, after it has reaped the dead participants.
/// What `evict` retires is collected too.
[[nodiscard]] Result<CollectReport> collect(
    const RootRef& root, const CollectOptions& options, const cache::CallContext& context,
    const std::function<Result<>(CollectReport&)>& evict = {});

}  // namespace larder::protocol
