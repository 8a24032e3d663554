// SPDX-License-Identifier: MIT
// Evict: to retire live entries that a limit takes, and then to collect.
#pragma once

#include <larder/collect.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::policy {

/// Under the collector's lock, after the dead were reaped: plans, and evicts. Then collects, as collect() does.
[[nodiscard]] Result<CollectReport> collect_within_limits(const protocol::RootRef& root,
                                                          const CollectOptions& options,
                                                          const cache::CallContext& context);

}  // namespace larder::policy
