// SPDX-License-Identifier: MIT
#include "api/collecting.hpp"

#include "policy/evict.hpp"
#include "policy/limits.hpp"
#include "protocol/collect.hpp"

namespace larder::detail {

namespace {

/// Returns options by which each eviction becomes an event for the listeners, and is then told to
/// the caller's own on_evict. A dry run evicts nothing, so its options stay as they are. The result
/// refers to both arguments, which must live longer.
CollectOptions with_eviction_events(const CollectOptions& options, Call& call) {
    CollectOptions with_events = options;
    if (!call.has_listeners() || options.dry_run) return with_events;
    with_events.on_evict = [&options, &call](const Eviction& eviction) {
        call.tell({.kind = Event::Kind::evicted,
                   .bucket = eviction.bucket,
                   .key = eviction.key,
                   .id = eviction.id,
                   .what = name_of(eviction.reason),
                   .bytes = eviction.bytes});
        if (options.on_evict) options.on_evict(eviction);
    };
    return with_events;
}

/// Returns the first failure of a collection that has done the rest, as the error of the call. The
/// report goes to on_partial before that, because an error has no room for it.
Result<CollectReport> first_failure_of(Result<CollectReport> collected,
                                       const CollectOptions& options) {
    if (!collected || collected->failures.empty()) return collected;
    if (options.on_partial) options.on_partial(*collected);
    return tl::make_unexpected(std::move(collected->failures.front()));
}

}  // namespace

Result<CollectReport> collect(const protocol::RootRef& root, const Limits& limits,
                              const CollectOptions& options, Call& call) {
    if (!limits.any()) {
        auto collected = protocol::collect(root, options, call.context());
        return first_failure_of(std::move(collected), options);
    }
    const CollectOptions with_events = with_eviction_events(options, call);
    auto collected = policy::collect_within(root, limits, with_events, call.context());
    return first_failure_of(std::move(collected), options);
}

Result<CollectReport> evict(const protocol::RootRef& root, const EvictionPlan& plan,
                            const CollectOptions& options, Call& call) {
    const CollectOptions with_events = with_eviction_events(options, call);
    auto collected = policy::collect_by_plan(root, plan, with_events, call.context());
    return first_failure_of(std::move(collected), options);
}

}  // namespace larder::detail
