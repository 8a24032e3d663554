// SPDX-License-Identifier: MIT
// The functions that collect, evict and verify.
#include <larder/cache.hpp>

#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"

using namespace larder;

namespace {

/// Returns a function that hands a report to the caller, if the caller wants it.
std::function<void(const CollectReport&)> reporting_to(larder_collect_report** report) {
    return [report](const CollectReport& done) {
        if (report != nullptr) *report = c::result_of(CollectReport(done));
    };
}

}  // namespace

larder_code larder_cache_collect(const larder_cache* cache, const larder_limits* limits,
                                 const larder_collect_options* options,
                                 larder_collect_report** report, larder_error** error) {
    c::clear(report);
    return c::guarded("collect", error, [&]() -> Result<> {
        NEED("collect", cache);
        TRY_ASSIGN(const auto wanted, c::options_of(limits));
        TRY_ASSIGN(auto chosen, c::options_of(options));
        chosen.on_partial = reporting_to(report);
        TRY_ASSIGN(auto collected, cache->cache.collect(wanted, chosen));
        if (report != nullptr) *report = c::result_of(std::move(collected));
        return {};
    });
}

larder_code larder_cache_evict(const larder_cache* cache, const larder_eviction_plan* plan,
                               const larder_collect_options* options,
                               larder_collect_report** report, larder_error** error) {
    c::clear(report);
    return c::guarded("evict", error, [&]() -> Result<> {
        NEED("evict", cache);
        NEED("evict", plan);
        TRY_ASSIGN(const auto planned, c::options_of(plan));
        TRY_ASSIGN(auto chosen, c::options_of(options));
        chosen.on_partial = reporting_to(report);
        TRY_ASSIGN(auto collected, cache->cache.evict(planned, chosen));
        if (report != nullptr) *report = c::result_of(std::move(collected));
        return {};
    });
}

larder_code larder_cache_keep_within(const larder_cache* cache, const larder_limits* limits,
                                     const larder_background_options* options,
                                     larder_error** error) {
    return c::guarded("keep within limits", error, [&]() -> Result<> {
        NEED("keep within limits", cache);
        TRY_ASSIGN(const auto wanted, c::options_of(limits));
        TRY_ASSIGN(const auto when, c::options_of(options));
        return cache->cache.keep_within(wanted, when);
    });
}

larder_code larder_cache_verify(const larder_cache* cache, const larder_verify_options* options,
                                larder_verify_report** report, larder_error** error) {
    c::clear(report);
    return c::guarded("verify", error, [&]() -> Result<> {
        NEED("verify", cache);
        NEED("verify",
             report);  // a finding is no error, so the report is the only way to learn of it
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        TRY_ASSIGN(auto verified, cache->cache.verify(chosen));
        *report = c::result_of(std::move(verified));
        return {};
    });
}

const char* larder_finding_kind_name(int kind) {
    if (kind < LARDER_FOUND_DANGLING || kind > LARDER_FOUND_BLOCKED) return "unknown";
    return name_of(static_cast<Finding::Kind>(kind))
        .data();  // names are literals, so they end with a zero byte
}
