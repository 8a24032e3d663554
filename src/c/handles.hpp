// SPDX-License-Identifier: MIT
// What the handles of the C interface point to: an object of the C++ interface each, and those of
// its texts that C has pointers to.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include <larder/cache.hpp>

#include "base/error.hpp"
#include "c/call.hpp"
#include "os/path_text.hpp"

/// Only a token of the source reaches the calls, so the handle may be freed before they end.
struct larder_stop {
    std::stop_source source;
};

struct larder_cache {
    explicit larder_cache(larder::Cache given)
        : cache(std::move(given)), root(larder::os::text_of(cache.root())) {}
    larder::Cache cache;
    const std::string root;  ///< what larder_cache_root returns
};

struct larder_bucket {
    larder::Bucket bucket;
};

struct larder_lease {
    explicit larder_lease(larder::Lease given)
        : lease(std::move(given)), path(larder::os::text_of(lease.path())), id(lease.id()) {}
    larder::Lease lease;
    const std::string path;  ///< what larder_lease_path returns
    const std::string id;    ///< what larder_lease_id returns
    std::string metadata;    ///< what larder_lease_metadata has returned last
};

/// A Staging that the handle owns, or one that is lent to a build. The same functions fill both.
/// Only one that is owned can be published or freed.
struct larder_staging {
    /// Takes over the Staging that larder_bucket_stage or larder_bucket_claim has made.
    explicit larder_staging(larder::Staging given)
        : own(std::move(given)), staging(*own), path(larder::os::text_of(staging.path())) {}
    /// Refers to a Staging that get_or_build lends to a build. It must live longer.
    explicit larder_staging(larder::Staging* lent)
        : staging(*lent), path(larder::os::text_of(staging.path())) {}
    // `staging` refers into the object, so it may not move.
    larder_staging(const larder_staging&) = delete;
    larder_staging& operator=(const larder_staging&) = delete;

    [[nodiscard]] bool is_lent() const noexcept { return !own; }

    std::optional<larder::Staging> own;  ///< empty if the Staging is lent
    larder::Staging& staging;            ///< `own`, or the lent one
    const std::string path;              ///< what larder_staging_path returns
    std::string inside;                  ///< what larder_staging_inside has returned last
};

namespace larder::c {

/// Stores a new handle for the value of `got` at `place`, or returns its error. The caller of the C
/// interface owns the handle. If `place` is null, the caller does not want one, and the value is
/// destroyed.
template <class Handle, class Value>
[[nodiscard]] Result<> hand_out_handle(Handle** place, Result<Value> got) {
    TRY(got);
    if (place != nullptr) *place = new Handle{std::move(*got)};
    return {};
}

}  // namespace larder::c
