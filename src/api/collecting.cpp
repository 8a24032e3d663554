// SPDX-License-Identifier: MIT
#include "api/collecting.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "policy/evict.hpp"
#include "policy/limits.hpp"
#include "protocol/collect.hpp"
#include "protocol/settle.hpp"

namespace larder::detail {

namespace {

/// Returns options whose on_evict tells the listeners of each eviction, and then calls the on_evict
/// of `options`. Returns `options` themselves if there are no listeners, and for a dry run, because
/// it evicts nothing. The result refers to both arguments, which must live longer.
CollectOptions with_eviction_events(const CollectOptions& options, Call& call) {
    if (!call.has_listeners() || options.dry_run) return options;
    CollectOptions with_events = options;
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

/// Settles the cache after a collection, if its options ask for that. An error becomes one of the
/// collection's failures.
void settle_after(Result<CollectReport>& collected, const protocol::RootRef& root,
                  const CollectOptions& options) {
    if (!options.settle || options.dry_run || !collected || collected->stopped) return;
    if (options.stop.stop_requested() || !protocol::can_settle(*root)) return;
    const auto settled = protocol::settle(*root, protocol::IfFull::leave);
    if (settled) return;
    // The collection may have met the same error.
    const bool is_known =
        std::any_of(collected->failures.begin(), collected->failures.end(),
                    [&](const Error& failure) { return say_the_same(failure, settled.error()); });
    if (!is_known) collected->failures.push_back(settled.error());
}

/// Returns the report of a collection that could do all. If the collection could not do some things
/// and has done the rest, returns the first of its failures, and gives the report to on_partial
/// before that, because an error has no room for it.
Result<CollectReport> report_or_first_failure(Result<CollectReport> collected,
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
        settle_after(collected, root, options);
        return report_or_first_failure(std::move(collected), options);
    }
    const CollectOptions with_events = with_eviction_events(options, call);
    auto collected = policy::collect_within(root, limits, with_events, call.context());
    settle_after(collected, root, options);
    return report_or_first_failure(std::move(collected), options);
}

Result<CollectReport> evict(const protocol::RootRef& root, const EvictionPlan& plan,
                            const CollectOptions& options, Call& call) {
    const CollectOptions with_events = with_eviction_events(options, call);
    auto collected = policy::collect_by_plan(root, plan, with_events, call.context());
    settle_after(collected, root, options);
    return report_or_first_failure(std::move(collected), options);
}

}  // namespace larder::detail
