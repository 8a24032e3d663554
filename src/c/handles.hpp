// SPDX-License-Identifier: MIT
// What the handles of the C interface are.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <larder/cache.hpp>

#include "c/error.hpp"

struct larder_stop {
    std::stop_source source;
};

struct larder_cache {
    larder::Cache cache;
};

struct larder_bucket {
    larder::Bucket bucket;
};

struct larder_lease {
    explicit larder_lease(larder::Lease given)
        : lease(std::move(given)), path(lease.path()), id(lease.id()) {}
    larder::Lease lease;
    const std::filesystem::path path;  ///< for as long as the handle lives
    const std::string id;
};

struct larder_staging {
    /// One of its own.
    explicit larder_staging(larder::Staging given)
        : own(std::move(given)), staging(*own), path(staging.path()) {}
    /// One that is lent to a build, and belongs to whoever called that.
    explicit larder_staging(larder::Staging* lent) : staging(*lent), path(staging.path()) {}
    larder_staging(const larder_staging&) = delete;
    larder_staging& operator=(const larder_staging&) = delete;

    [[nodiscard]] bool is_lent() const noexcept { return !own; }

    std::optional<larder::Staging> own;
    larder::Staging& staging;
    const std::filesystem::path path;
};

namespace larder::c {

/// Puts a handle on what was `got` at `place`. Where that is null nobody wants it.
template <class Handle, class Value>
Result<> hand_out(Handle** place, Result<Value> got) {
    TRY(got);
    if (place != nullptr) *place = new Handle{std::move(*got)};
    return {};
}

template <class Handle>
void clear(Handle** place) noexcept {
    if (place != nullptr) *place = nullptr;
}

}  // namespace larder::c
