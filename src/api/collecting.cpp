// SPDX-License-Identifier: MIT
#include "api/collecting.hpp"

#include "policy/evict.hpp"
#include "policy/limits.hpp"
#include "protocol/collect.hpp"

namespace larder::detail {

namespace {

/// Returns the same options, but with an on_evict that also tells the listeners.
CollectOptions telling(const CollectOptions& options, Call& call) {
    CollectOptions told = options;
    if (!call.has_listeners() || options.dry_run) return told;
    told.on_evict = [&options, &call](const Eviction& eviction) {
        call.tell({.kind = Event::Kind::evicted,
                   .bucket = eviction.bucket,
                   .key = eviction.key,
                   .id = eviction.id,
                   .what = name_of(eviction.reason),
                   .bytes = eviction.bytes});
        if (options.on_evict) options.on_evict(eviction);
    };
    return told;
}

}  // namespace

Result<CollectReport> collect(const protocol::RootRef& root, const Limits& limits,
                              const CollectOptions& options, Call& call) {
    if (!limits.any()) return protocol::collect(root, options, call.context());
    return policy::collect_within(root, limits, telling(options, call), call.context());
}

Result<CollectReport> evict(const protocol::RootRef& root, const EvictionPlan& plan,
                            const CollectOptions& options, Call& call) {
    return policy::collect_by_plan(root, plan, telling(options, call), call.context());
}

}  // namespace larder::detail
