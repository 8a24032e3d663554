// SPDX-License-Identifier: MIT
// Get or build: among all threads and processes, one builds an entry while the others wait for it
// (single flight).
#pragma once

#include <functional>

#include "protocol/publish.hpp"

namespace larder::protocol {

/// Fills a Stage, or returns the error that prevented it.
using Fill = std::function<Result<>(Stage&)>;

/// Call this after a get that was a miss. It has the entry built, by this thread or by another one,
/// and returns a lease on it. See Bucket::get_or_build.
[[nodiscard]] Result<SlotLease> get_or_build(const RootRef& root, const KeyRef& place,
                                             const Fill& fill, const PublishOptions& options,
                                             const cache::CallContext& context);

}  // namespace larder::protocol
