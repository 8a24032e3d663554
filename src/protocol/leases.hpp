// SPDX-License-Identifier: MIT
// Who has leased what, as the lease tables tell it.
#pragma once

#include <map>
#include <vector>

#include <larder/collect.hpp>

#include "cache/root.hpp"

namespace larder::protocol {

/// The ids that are leased, each with the processes that lease it.
using Leases = std::map<format::Id, std::vector<ProcessInfo>>;

/// Reads every lease table, once, for a collection with these options. Leaves out participants that
/// are dead. A dry run also leaves out those that it presumes dead, whose tables a collection has
/// wiped before. So both find the same ones dead. Errors: `damaged` if one table cannot be read,
/// because its leases are unknown.
/// Requires: a collection has reaped. A caller that deletes what is not leased has listed the
/// retired links before this call, with a full fence in between (see "Why a lease holds" in
/// docs/protocol.md).
[[nodiscard]] Result<Leases> read_leases(const cache::Root& root, const CollectOptions& options);
/// Returns what a collection with these options does with a participant of which it can't be told
/// whether it lives.
[[nodiscard]] cache::Untold untold_of(const CollectOptions& options) noexcept;

/// Returns what a participant's table says of its process.
[[nodiscard]] ProcessInfo info_of(const cache::ParticipantView& participant);

}  // namespace larder::protocol
