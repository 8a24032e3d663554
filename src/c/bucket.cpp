// SPDX-License-Identifier: MIT
// The functions of a bucket. c/call.hpp explains the shape that all of them have.
#include <memory>
#include <variant>

#include <larder/bucket.hpp>

#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"

using namespace larder;

void larder_bucket_free(larder_bucket* bucket) { delete bucket; }

const char* larder_bucket_name(const larder_bucket* bucket) {
    return bucket != nullptr ? bucket->bucket.name().c_str() : nullptr;
}

larder_code larder_bucket_with(const larder_bucket* bucket, const larder_call_options* options,
                               larder_bucket** with, larder_error** error) {
    c::clear(with);
    return c::guarded(
        "with options", error, {{"bucket", bucket}, {"with", with}}, [&]() -> Result<> {
            TRY_ASSIGN(const auto chosen, c::options_of(options));
            return c::hand_out_handle(with, Result<Bucket>(bucket->bucket.with(chosen)));
        });
}

larder_code larder_bucket_get(const larder_bucket* bucket, const char* key, larder_lease** lease,
                              larder_error** error) {
    c::clear(lease);
    return c::guarded("get", error, {{"bucket", bucket}, {"key", key}, {"lease", lease}},
                      [&] { return c::hand_out_handle(lease, bucket->bucket.get(key)); });
}

namespace {

/// Runs a build that is written in C, and returns its result. Lends it `staging` as a handle, which
/// is valid until the build returns. If the build fails and gives no error, makes one that has its
/// code.
Result<> run_build(larder_build build, void* user_data, Staging& staging) {
    larder_staging lent(&staging);
    larder_error* error = nullptr;
    int code = LARDER_OK;
    try {
        code = build(&lent, user_data, &error);
    } catch (...) {  // a build that is written in C++
        larder_error_free(error);
        throw;
    }
    if (code == LARDER_OK) {
        // The build may have met an error, and recovered from it. The error is ours to free.
        larder_error_free(error);
        return {};
    }
    if (error != nullptr) return tl::make_unexpected(c::take(error));
    return tl::make_unexpected(Error{.code = c::errc_of(code).value_or(Errc::build),
                                     .sys_errno = 0,
                                     .step = "build",
                                     .path = {},
                                     .detail = "it failed, and did not say why"});
}

}  // namespace

larder_code larder_bucket_get_or_build(const larder_bucket* bucket, const char* key,
                                       larder_build build, void* user_data,
                                       const larder_publish_options* options, larder_lease** lease,
                                       larder_error** error) {
    c::clear(lease);
    const auto fill = [&](Staging& staging) { return run_build(build, user_data, staging); };
    const auto get_or_build = [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_handle(lease, bucket->bucket.get_or_build(key, fill, chosen));
    };
    return c::guarded("get or build", error, {{"bucket", bucket}, {"key", key}, {"build", build}},
                      get_or_build);
}

larder_code larder_bucket_claim(const larder_bucket* bucket, const char* key, larder_lease** lease,
                                larder_staging** staging, larder_error** error) {
    c::clear(lease);
    c::clear(staging);
    const auto claim = [&]() -> Result<> {
        TRY_ASSIGN(auto claimed, bucket->bucket.claim(key));
        if (auto* const found = std::get_if<Lease>(&claimed))
            return c::hand_out_handle(lease, Result<Lease>(std::move(*found)));
        return c::hand_out_handle(staging, Result<Staging>(std::get<Staging>(std::move(claimed))));
    };
    return c::guarded("claim", error,
                      {{"bucket", bucket}, {"key", key}, {"lease", lease}, {"staging", staging}},
                      claim);
}

larder_code larder_bucket_publish(const larder_bucket* bucket, const char* key,
                                  larder_staging* staging, const larder_publish_options* options,
                                  larder_lease** lease, larder_error** error) {
    c::clear(lease);
    // The handle is freed however the call ends. But a handle that is lent to a build belongs to
    // get_or_build, which publishes what it holds.
    const bool is_lent = staging != nullptr && staging->is_lent();
    const std::unique_ptr<larder_staging> owned(is_lent ? nullptr : staging);
    const auto publish = [&]() -> Result<> {
        if (is_lent)
            return fail(Errc::invalid, "publish", staging->staging.path(),
                        "this is lent to a build: get_or_build publishes it");
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out_handle(lease,
                                  bucket->bucket.publish(key, std::move(owned->staging), chosen));
    };
    return c::guarded("publish", error, {{"bucket", bucket}, {"key", key}, {"staging", staging}},
                      publish);
}

larder_code larder_bucket_remove(const larder_bucket* bucket, const char* key, int32_t durability,
                                 larder_error** error) {
    return c::guarded("remove", error, {{"bucket", bucket}, {"key", key}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::durability_of(durability));
        return bucket->bucket.remove(key, chosen);
    });
}

larder_code larder_bucket_refresh(const larder_bucket* bucket, int32_t durability,
                                  larder_error** error) {
    return c::guarded("refresh", error, {{"bucket", bucket}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::durability_of(durability));
        return bucket->bucket.refresh(chosen);
    });
}

larder_code larder_bucket_refresh_some(const larder_bucket* bucket,
                                       const larder_refresh_options* options, uint64_t* taken,
                                       larder_error** error) {
    if (taken != nullptr) *taken = 0;
    return c::guarded("refresh", error, {{"bucket", bucket}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        TRY_ASSIGN(const std::uint64_t count, bucket->bucket.refresh(chosen));
        if (taken != nullptr) *taken = count;
        return {};
    });
}

larder_code larder_bucket_pin(const larder_bucket* bucket, const char* key, int32_t durability,
                              larder_error** error) {
    return c::guarded("pin", error, {{"bucket", bucket}, {"key", key}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::durability_of(durability));
        return bucket->bucket.pin(key, chosen);
    });
}

larder_code larder_bucket_unpin(const larder_bucket* bucket, const char* key, int32_t durability,
                                larder_error** error) {
    return c::guarded("unpin", error, {{"bucket", bucket}, {"key", key}}, [&]() -> Result<> {
        TRY_ASSIGN(const auto chosen, c::durability_of(durability));
        return bucket->bucket.unpin(key, chosen);
    });
}

larder_code larder_bucket_is_pinned(const larder_bucket* bucket, const char* key, int* pinned,
                                    larder_error** error) {
    if (pinned != nullptr) *pinned = 0;
    const auto ask = [&]() -> Result<> {
        TRY_ASSIGN(const bool found, bucket->bucket.is_pinned(key));
        *pinned = found ? 1 : 0;
        return {};
    };
    return c::guarded("is pinned", error, {{"bucket", bucket}, {"key", key}, {"pinned", pinned}},
                      ask);
}

larder_code larder_bucket_keys(const larder_bucket* bucket, larder_names** names,
                               larder_error** error) {
    c::clear(names);
    return c::guarded("list keys", error, {{"bucket", bucket}, {"names", names}},
                      [&] { return c::hand_out_struct(names, bucket->bucket.keys()); });
}

larder_code larder_bucket_visit_keys(const larder_bucket* bucket,
                                     int (*visit)(const char* key, void* user_data),
                                     void* user_data, larder_error** error) {
    // C could not tell a key that contains a zero byte from a shorter one, so it is passed over. A
    // visitor returns 0 to end the list early.
    const auto visit_text = [&](const std::string& key) {
        const bool is_nameable = key.find('\0') == std::string::npos;
        return !is_nameable || visit(key.c_str(), user_data) != 0;
    };
    return c::guarded("list keys", error, {{"bucket", bucket}, {"visit", visit}},
                      [&] { return bucket->bucket.visit_keys(visit_text); });
}

larder_code larder_bucket_info(const larder_bucket* bucket, const char* key,
                               larder_entry_info** info, larder_error** error) {
    c::clear(info);
    return c::guarded("info", error, {{"bucket", bucket}, {"key", key}, {"info", info}},
                      [&] { return c::hand_out_struct(info, bucket->bucket.info(key)); });
}
