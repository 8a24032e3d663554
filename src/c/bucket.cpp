// SPDX-License-Identifier: MIT
#include <memory>

#include <larder/bucket.hpp>

#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/reports.hpp"

using namespace larder;

const char* larder_bucket_name(const larder_bucket* bucket) {
    return bucket != nullptr ? bucket->bucket.name().c_str() : nullptr;
}

larder_code larder_bucket_get(const larder_bucket* bucket, const char* key, larder_lease** lease,
                              larder_error** error) {
    c::clear(lease);
    return c::guarded("get", error, [&]() -> Result<> {
        NEED("get", bucket);
        NEED("get", key);
        NEED("get", lease);
        return c::hand_out(lease, bucket->bucket.get(key));
    });
}

namespace {

/// Calls a build in C as one in C++: lends it the Staging, and takes its error.
Result<> run(larder_build build, void* user_data, Staging& staging) {
    larder_staging lent(&staging);
    larder_error* error = nullptr;
    const int code = build(&lent, user_data, &error);
    if (code == LARDER_OK) {
        larder_error_free(error);  // an error that the build met and recovered from
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
    return c::guarded("get or build", error, [&]() -> Result<> {
        NEED("get or build", bucket);
        NEED("get or build", key);
        NEED("get or build", build);
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        const auto fill = [&](Staging& staging) { return run(build, user_data, staging); };
        return c::hand_out(lease, bucket->bucket.get_or_build(key, fill, chosen));
    });
}

larder_code larder_bucket_publish(const larder_bucket* bucket, const char* key,
                                  larder_staging* staging, const larder_publish_options* options,
                                  larder_lease** lease, larder_error** error) {
    c::clear(lease);
    if (staging != nullptr && staging->is_lent()) {
        return c::guarded("publish", error, [&]() -> Result<> {
            return fail(Errc::invalid, "publish", staging->path,
                        "this is lent to a build: get_or_build publishes it");
        });
    }
    const std::unique_ptr<larder_staging> taken(staging);
    return c::guarded("publish", error, [&]() -> Result<> {
        NEED("publish", bucket);
        NEED("publish", key);
        NEED("publish", staging);
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        return c::hand_out(lease, bucket->bucket.publish(key, std::move(taken->staging), chosen));
    });
}

larder_code larder_bucket_remove(const larder_bucket* bucket, const char* key,
                                 larder_error** error) {
    return c::guarded("remove", error, [&]() -> Result<> {
        NEED("remove", bucket);
        NEED("remove", key);
        return bucket->bucket.remove(key);
    });
}

larder_code larder_bucket_refresh(const larder_bucket* bucket, larder_error** error) {
    return c::guarded("refresh", error, [&]() -> Result<> {
        NEED("refresh", bucket);
        return bucket->bucket.refresh();
    });
}

larder_code larder_bucket_refresh_some(const larder_bucket* bucket,
                                       const larder_refresh_options* options, uint64_t* taken,
                                       larder_error** error) {
    if (taken != nullptr) *taken = 0;
    return c::guarded("refresh", error, [&]() -> Result<> {
        NEED("refresh", bucket);
        TRY_ASSIGN(const auto chosen, c::options_of(options));
        TRY_ASSIGN(const std::uint64_t count, bucket->bucket.refresh(chosen));
        if (taken != nullptr) *taken = count;
        return {};
    });
}

larder_code larder_bucket_pin(const larder_bucket* bucket, const char* key, larder_error** error) {
    return c::guarded("pin", error, [&]() -> Result<> {
        NEED("pin", bucket);
        NEED("pin", key);
        return bucket->bucket.pin(key);
    });
}

larder_code larder_bucket_unpin(const larder_bucket* bucket, const char* key,
                                larder_error** error) {
    return c::guarded("unpin", error, [&]() -> Result<> {
        NEED("unpin", bucket);
        NEED("unpin", key);
        return bucket->bucket.unpin(key);
    });
}

larder_code larder_bucket_is_pinned(const larder_bucket* bucket, const char* key, int* pinned,
                                    larder_error** error) {
    if (pinned != nullptr) *pinned = 0;
    return c::guarded("is pinned", error, [&]() -> Result<> {
        NEED("is pinned", bucket);
        NEED("is pinned", key);
        NEED("is pinned", pinned);
        TRY_ASSIGN(const bool found, bucket->bucket.is_pinned(key));
        *pinned = found ? 1 : 0;
        return {};
    });
}

larder_code larder_bucket_keys(const larder_bucket* bucket, larder_names** names,
                               larder_error** error) {
    c::clear(names);
    return c::guarded("list keys", error, [&]() -> Result<> {
        NEED("list keys", bucket);
        NEED("list keys", names);
        TRY_ASSIGN(auto keys, bucket->bucket.keys());
        *names = c::result_of(std::move(keys));
        return {};
    });
}

larder_code larder_bucket_visit_keys(const larder_bucket* bucket,
                                     int (*visit)(const char* key, void* user_data),
                                     void* user_data, larder_error** error) {
    return c::guarded("list keys", error, [&]() -> Result<> {
        NEED("list keys", bucket);
        NEED("list keys", visit);
        return bucket->bucket.visit_keys([&](const std::string& key) {
            return key.find('\0') != std::string::npos || visit(key.c_str(), user_data) != 0;
        });
    });
}

larder_code larder_bucket_info(const larder_bucket* bucket, const char* key,
                               larder_entry_info** info, larder_error** error) {
    c::clear(info);
    return c::guarded("info", error, [&]() -> Result<> {
        NEED("info", bucket);
        NEED("info", key);
        NEED("info", info);
        TRY_ASSIGN(auto found, bucket->bucket.info(key));
        *info = c::result_of(std::move(found));
        return {};
    });
}
