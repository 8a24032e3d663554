// SPDX-License-Identifier: MIT
// Dedupe: lets equal files of live entries share their blocks on the disk.
#pragma once

#include <larder/report.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Lets equal files share their blocks. See Cache::dedupe.
[[nodiscard]] Result<DedupeReport> dedupe(const RootRef& root, const DedupeOptions& options,
                                          const cache::CallContext& context);

}  // namespace larder::protocol
