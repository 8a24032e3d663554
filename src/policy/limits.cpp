// SPDX-License-Identifier: MIT
#include "policy/limits.hpp"

#include "policy/evict.hpp"
#include "protocol/collect.hpp"

namespace larder::policy {

namespace {

/// Returns true if the entries that stay are within all limits. They need not be within the low
/// water: that is where an eviction stops, and no limit.
bool keeps_limits(const Limits& limits, const PlanTotals& plan, const Evicted& evicted,
                  const CollectReport& report) {
    const auto entries = report.live_entries.value_or(0), bytes = report.live_bytes.value_or(0);
    const bool keeps_age = plan.keeps_age && evicted.keeps_age;
    const bool keeps_entries = !limits.max_entries || entries <= *limits.max_entries;
    const bool keeps_size = !limits.max_size || bytes <= *limits.max_size;
    const bool keeps_free = report.evicted_bytes >= plan.to_free && plan.frees_files;
    return keeps_age && keeps_entries && keeps_size && keeps_free;
}

/// Makes a plan by the limits, and evicts by it. `garbage` is what the collection frees without any
/// eviction. If the plan cannot be made, the error is noted in EvictionWork::errors; a
/// request to stop is noted in the report. Says in the report whether the limits are kept, unless
/// the eviction has ended early.
Evicted evict_by_limits(const Limits& limits, const Garbage& garbage, const EvictionWork& work) {
    CollectReport& report = work.report;
    PlanTotals totals;
    const auto next_part =
        begin_plan(work.root, limits, work.options, garbage, totals, work.errors);
    const auto next_counted = [&]() -> Result<PlanPart> {
        TRY_ASSIGN(PlanPart part, next_part());
        // From now on each eviction is taken off these.
        if (!report.live_entries) report.live_entries = totals.live_entries;
        return part;
    };
    const std::vector<std::string> keep;  // the plan has left out what Limits::keep fits
    const Evicted evicted = evict(next_counted, keep, work);
    if (report.live_entries) {
        totals.live_bytes.subtract(evicted.bytes);
        report.live_bytes = totals.live_bytes.value();
    }
    if (evicted.all_done) report.within_limits = keeps_limits(limits, totals, evicted, report);
    return evicted;
}

}  // namespace

Result<> check_limits(const Limits& limits) {
    if (limits.low_water < 1 || limits.low_water > 100) {
        return fail(Errc::invalid, "collect", {},
                    "low_water is " + std::to_string(limits.low_water) +
                        ", and must be a percentage from 1 to 100");
    }
    if (limits.max_age && limits.max_age->count() < 0)
        return fail(Errc::invalid, "collect", {},
                    "max_age is negative: it is a time since the last use");
    return {};
}

Result<CollectReport> collect_within(const protocol::RootRef& root, const Limits& limits,
                                     const CollectOptions& options,
                                     const cache::CallContext& context) {
    TRY(check_limits(limits));
    CollectReport sum;
    Garbage garbage;
    if (limits.min_free) {
        // Delete the garbage first: a live entry must not be evicted for space that garbage takes.
        std::uint64_t files = 0;
        TRY_ASSIGN(auto collected, protocol::collect(root, options, context, {}, &files));
        if (options.dry_run) {
            // It is still there, and is to be counted as free.
            garbage = {.bytes = collected.bytes, .files = files};
        } else {
            sum = std::move(collected);
        }
    }
    const auto evict_some = [&](const EvictionWork& work) {
        return evict_by_limits(limits, garbage, work);
    };
    TRY_ASSIGN(auto report, collect_evicting(root, options, context, evict_some));
    add_report(sum, std::move(report));
    return sum;
}

}  // namespace larder::policy
