// SPDX-License-Identifier: MIT
// Verify: checks every invariant that can be checked while other processes work.
#pragma once

#include <larder/report.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Checks the cache, under the collector's lock. See Cache::verify.
[[nodiscard]] Result<VerifyReport> verify(const RootRef& root, const VerifyOptions& options,
                                          const cache::CallContext& context);

}  // namespace larder::protocol
