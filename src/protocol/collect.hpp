// SPDX-License-Identifier: MIT
// Collect: deletes the entries that are retired and not leased.
#pragma once

#include <functional>

#include <larder/collect.hpp>

#include "base/noted_errors.hpp"
#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Evicts, and notes what it cannot do in `errors`.
using EvictFirst = std::function<void(CollectReport& report, NotedErrors& errors)>;

/// Deletes what is retired and not leased, and writes into the journal what it has done. If `evict`
/// is given, this calls it under the collector's lock, after it has reaped the dead participants.
/// What `evict` retires is collected too. What could not be done stands in CollectReport::failures,
/// and stops nothing else. If `files` is not null, stores there how many files the entries have
/// that were deleted, or in a dry run would be. Errors: `busy`, `read_only`; nothing was done then.
[[nodiscard]] Result<CollectReport> collect(const RootRef& root, const CollectOptions& options,
                                            const cache::CallContext& context,
                                            const EvictFirst& evict = {},
                                            std::uint64_t* files = nullptr);

}  // namespace larder::protocol
