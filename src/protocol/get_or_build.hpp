// SPDX-License-Identifier: MIT
// Get or build: single flight among all threads and processes.
#pragma once

#include <functional>

#include "protocol/publish.hpp"

namespace larder::protocol {

/// Fills a Stage, or says why it can't.
using Fill = std::function<Result<>(Stage&)>;

/// After a get that was a miss: has the entry built, by this thread or by another, and leases it.
[[nodiscard]] Result<SlotLease> get_or_build(const RootRef& root, const KeyRef& place,
                                             const Fill& fill, const PublishOptions& options,
                                             const cache::CallContext& context);

}  // namespace larder::protocol
