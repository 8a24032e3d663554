// SPDX-License-Identifier: MIT
// What the handles of the C interface point to.
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

/// A lease, with the texts that C has pointers to.
struct larder_lease {
    explicit larder_lease(larder::Lease given)
        : lease(std::move(given)), path(lease.path()), id(lease.id()) {}
    larder::Lease lease;
    const std::filesystem::path path;  ///< valid as long as the handle lives
    const std::string id;              ///< the same
};

/// A Staging that the handle owns, or one that is lent to a build. Both are used by the same
/// functions, and only the first kind can be published or freed.
struct larder_staging {
    /// A Staging that the handle owns.
    explicit larder_staging(larder::Staging given)
        : own(std::move(given)), staging(*own), path(staging.path()) {}
    /// A Staging that is lent to a build and belongs to the caller of that build.
    explicit larder_staging(larder::Staging* lent) : staging(*lent), path(staging.path()) {}
    larder_staging(const larder_staging&) = delete;
    larder_staging& operator=(const larder_staging&) = delete;

    [[nodiscard]] bool is_lent() const noexcept { return !own; }

    std::optional<larder::Staging> own;
    larder::Staging& staging;  ///< `own`, or the lent one
    const std::filesystem::path path;
    std::string inside;  ///< what larder_staging_inside has returned
};

namespace larder::c {

/// Stores a handle for the value of `got` at `place`, or returns its error. If `place` is null, the
/// caller does not want a handle.
template <class Handle, class Value>
Result<> hand_out(Handle** place, Result<Value> got) {
    TRY(got);
    if (place != nullptr) *place = new Handle{std::move(*got)};
    return {};
}

/// Sets a result to null, unless the caller does not want it.
template <class Handle>
void clear(Handle** place) noexcept {
    if (place != nullptr) *place = nullptr;
}

}  // namespace larder::c
