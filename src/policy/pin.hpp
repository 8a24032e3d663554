// SPDX-License-Identifier: MIT
// Pin: to keep a key's entries, this one and later ones, from being evicted. Nothing else looks at pins.
#pragma once

#include <set>
#include <string>

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"

namespace larder::policy {

/// Under the bucket's lock, shared, so that no eviction that has not seen it is under way. Errors: `busy`.
[[nodiscard]] Result<> pin(cache::Root& root, const protocol::KeyRef& place,
                           const cache::CallContext& context);
/// Errors: `miss` where it is not pinned.
[[nodiscard]] Result<> unpin(const cache::Root& root, const protocol::KeyRef& place);
[[nodiscard]] Result<bool> is_pinned(const cache::Root& root, const protocol::KeyRef& place);

/// The pinned keys of a bucket, encoded.
[[nodiscard]] Result<std::set<std::string>> pins_of(const cache::Root& root,
                                                    const std::string& encoded_bucket);

}  // namespace larder::policy
