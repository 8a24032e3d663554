// SPDX-License-Identifier: MIT
// Collect: deletes the entries that are retired and not leased.
#pragma once

#include <functional>

#include <larder/collect.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Deletes what is retired and not leased, and writes what it did into the journal. If `evict` is
/// given, it is called under the collector's lock, after the dead processes were reaped.
[[nodiscard]] Result<CollectReport> collect(
    const RootRef& root, const CollectOptions& options, const cache::CallContext& context,
    const std::function<Result<>(CollectReport&)>& evict = {});

}  // namespace larder::protocol
