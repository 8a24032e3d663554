// SPDX-License-Identifier: MIT
// Who has leased what, as the lease tables tell it.
#pragma once

#include <map>
#include <vector>

#include <larder/report.hpp>

#include "cache/root.hpp"

namespace larder::protocol {

/// The leases of all processes that live, and whose they are.
using Leases = std::map<format::Id, std::vector<ProcessInfo>>;

/// Reads every lease table. Requires, if the caller deletes what is not leased: it has listed the
/// links of what it deletes before.
[[nodiscard]] Result<Leases> read_leases(const cache::Root& root);

/// Returns what a participant's table says of its process.
[[nodiscard]] ProcessInfo info_of(const cache::ParticipantView& participant);

}  // namespace larder::protocol
