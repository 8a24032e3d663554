// Build once: single flight among all threads and processes.
#pragma once

#include <functional>
#include <steps/publish.hpp>

namespace larder::steps {

/// Fills a Stage, or says why it can't.
using Fill = std::function<Result<>(Stage&)>;

[[nodiscard]] Result<HeldLease> get_or_build(const RootRef& root, const Place& place, const Fill& fill, const PublishOptions& options,
                                             const root::WaitLimits& limits);

}  // namespace larder::steps
