// Evict: to retire live entries that a limit takes, and then to collect.
#pragma once

#include <larder/collect.hpp>
#include <root/locks.hpp>
#include <steps/held.hpp>

namespace larder::steps {

/// Under the collector's lock, after the dead were reaped: plans, and evicts. Then collects, as collect() does.
[[nodiscard]] Result<CollectReport> collect_within_limits(const RootRef& root, const CollectOptions& options, const root::Caller& caller);

}  // namespace larder::steps
