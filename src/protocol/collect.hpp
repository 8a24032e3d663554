// SPDX-License-Identifier: MIT
// Collect: to delete what is retired and not leased.
#pragma once

#include <functional>

#include <larder/collect.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Deletes what is retired and not leased. Calls `evict`, if there is one, under the collector's lock,
/// after the dead were reaped. Writes what it did down in the journal.
[[nodiscard]] Result<CollectReport> collect(
    const RootRef& root, const CollectOptions& options, const cache::CallContext& context,
    const std::function<Result<>(CollectReport&)>& evict = {});

}  // namespace larder::protocol
