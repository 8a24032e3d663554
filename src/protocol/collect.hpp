// SPDX-License-Identifier: MIT
// Collect: to delete what is retired and not leased.
#pragma once

#include <functional>
#include <map>
#include <vector>

#include <larder/collect.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Limits are not looked at: that is collect_within_limits'. `evict`, if any, is called under the collector's lock, once the dead were reaped.
[[nodiscard]] Result<CollectReport> collect(
    const RootRef& root, const CollectOptions& options, const cache::CallContext& context,
    const std::function<Result<>(CollectReport&)>& evict = {});

/// All leases of all that live, and whose they are. Requires, for whoever deletes by it: the links of what is to be deleted were
/// listed before.
using Leases = std::map<format::Id, std::vector<ProcessInfo>>;
[[nodiscard]] Result<Leases> read_leases(const cache::Root& root);

[[nodiscard]] ProcessInfo info_of(const cache::ParticipantView& participant);

}  // namespace larder::protocol
