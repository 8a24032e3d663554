// Build once: single flight among all threads and processes.
#pragma once

#include <functional>
#include <steps/publish.hpp>

namespace larder::steps {

/// Fills a Stage, or says why it can't.
using Fill = std::function<Result<>(Stage&)>;

/// After a get that was a miss: has the entry built, here or by another, and leases it.
[[nodiscard]] Result<HeldLease> build_once(const RootRef& root, const Place& place, const Fill& fill, const PublishOptions& options,
                                           const root::Caller& caller);

}  // namespace larder::steps
