// SPDX-License-Identifier: MIT
// Get or build: among all threads and processes, one builds an entry while the others wait for it
// (single flight).
#pragma once

#include <functional>

#include "protocol/publish.hpp"

namespace larder::protocol {

/// Fills a Stage, or returns the error that prevented it. Called while this thread holds the
/// build's lock, unless its wait ended early, and no bucket's lock. It may take as long as it
/// likes, and may build other keys.
using Fill = std::function<Result<>(Stage&)>;

/// Returns a lease on the entry of a key, after a get was a miss. This thread builds the entry, or
/// waits until another thread has built it. After an error of `fill` nothing is published, and the
/// next thread that waits builds. Errors: those of `fill` and of publish; `invalid` if the build
/// would wait for itself; `interrupted`. See Bucket::get_or_build.
[[nodiscard]] Result<SlotLease> get_or_build(const RootRef& root, const KeyRef& place,
                                             const Fill& fill, const PublishOptions& options,
                                             const cache::CallContext& context);

}  // namespace larder::protocol
