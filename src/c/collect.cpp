// SPDX-License-Identifier: MIT
// The functions that collect, evict and verify. c/call.hpp explains the shape that all of them
// have.
#include <larder/cache.hpp>

#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"

using namespace larder;

namespace {

/// Returns an on_partial that hands out the report of a collection that fails, unless `report` is
/// null. The call itself then returns an error, which has no room for a report.
std::function<void(const CollectReport&)> handing_out_to(larder_collect_report** report) {
    return [report](const CollectReport& partial) {
        if (report != nullptr) *report = c::result_of(CollectReport(partial));
    };
}

}  // namespace

larder_code larder_cache_collect(const larder_cache* cache, const larder_limits* limits,
                                 const larder_collect_options* options,
                                 larder_collect_report** report, larder_error** error) {
    c::clear(report);
    return c::guarded("collect", error, {{"cache", cache}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto wanted, c::options_of(limits));
        TRY_ASSIGN(auto chosen, c::options_of(options));
        chosen.on_partial = handing_out_to(report);
        return c::hand_out_struct(report, cache->cache.collect(wanted, chosen));
    });
}

larder_code larder_cache_evict(const larder_cache* cache, const larder_eviction_plan* plan,
                               const larder_collect_options* options,
                               larder_collect_report** report, larder_error** error) {
    c::clear(report);
    return c::guarded("evict", error, {{"cache", cache}, {"plan", plan}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto planned, c::options_of(plan));
        TRY_ASSIGN(auto chosen, c::options_of(options));
        chosen.on_partial = handing_out_to(report);
        return c::hand_out_struct(report, cache->cache.evict(planned, chosen));
    });
}

larder_code larder_cache_keep_within(const larder_cache* cache, const larder_limits* limits,
                                     const larder_background_options* options,
                                     larder_error** error) {
    return c::guarded("keep within limits", error, {{"cache", cache}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto wanted, c::options_of(limits));
        TRY_ASSIGN(const auto when, c::options_of(options));
        return cache->cache.keep_within(wanted, when);
    });
}

larder_code larder_cache_settle(const larder_cache* cache, larder_error** error) {
    return c::guarded("settle", error, {{"cache", cache}}, [&] { return cache->cache.settle(); });
}

larder_code larder_cache_verify(const larder_cache* cache, const larder_verify_options* options,
                                larder_verify_report** report, larder_error** error) {
    c::clear(report);
    // A finding is no error, so the report is the only way to learn of it, and is needed.
    return c::guarded("verify", error, {{"cache", cache}, {"report", report}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_struct(report, cache->cache.verify(chosen));
    });
}

larder_code larder_cache_verify_content(const larder_cache* cache,
                                        const larder_content_options* options,
                                        larder_content_report** report, larder_error** error) {
    c::clear(report);
    return c::guarded("verify", error, {{"cache", cache}, {"report", report}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_struct(report, cache->cache.verify_content(chosen));
    });
}

larder_code larder_cache_dedupe(const larder_cache* cache, const larder_dedupe_options* options,
                                larder_dedupe_report** report, larder_error** error) {
    c::clear(report);
    return c::guarded("dedupe", error, {{"cache", cache}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_struct(report, cache->cache.dedupe(chosen));
    });
}

const char* larder_finding_kind_name(int kind) {
    if (kind < LARDER_FOUND_DANGLING || kind > LARDER_FOUND_BLOCKED) return "unknown";
    // The names are literals, so each ends with a zero byte.
    return name_of(static_cast<Finding::Kind>(kind)).data();
}
