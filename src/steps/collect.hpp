// Collect: to delete what is retired and not leased.
#pragma once

#include <functional>
#include <larder/collect.hpp>
#include <map>
#include <root/locks.hpp>
#include <steps/held.hpp>
#include <vector>

namespace larder::steps {

/// Limits are not looked at: that is collect_within_limits'. `evict`, if any, is called under the collector's lock, once the dead were reaped.
[[nodiscard]] Result<CollectReport> collect(const RootRef& root, const CollectOptions& options, const root::Caller& caller,
                                            const std::function<Result<>(CollectReport&)>& evict = {});

/// All leases of all that live, and whose they are. Requires, for whoever deletes by it: the links of what is to be deleted were
/// listed before.
using Leases = std::map<layout::Id, std::vector<ProcessInfo>>;
[[nodiscard]] Result<Leases> read_leases(const root::Root& root);

[[nodiscard]] ProcessInfo info_of(const root::ParticipantView& participant);

}  // namespace larder::steps
