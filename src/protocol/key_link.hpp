// SPDX-License-Identifier: MIT
// Retires the link of a key only if it still names the entry that the caller has judged. Get (if
// there is no tree), publish (if a sync fails), refresh by age, and evict use this. Steps that
// retire a link whatever it names use Root::retire_link (cache/root.hpp).
#pragma once

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Returns whether there is a bucket, as cache::BucketKeys::bucket_exists does.
[[nodiscard]] Result<bool> bucket_exists(const cache::Root& root,
                                         const std::string& encoded_bucket);

/// Retires the link of a key if it names `id`. Returns false if it names another entry or none, or
/// if a refresh has carried it off: then this call has retired nothing. Waits for the bucket's
/// lock, exclusively. Errors: `busy`, `interrupted`.
[[nodiscard]] Result<bool> retire_if(cache::Root& root, const KeyRef& place, const format::Id& id,
                                     const cache::CallContext& context);
/// Does the same if the bucket's lock is free. Otherwise does nothing, and returns false.
[[nodiscard]] Result<bool> retire_if_unlocked(cache::Root& root, const KeyRef& place,
                                              const format::Id& id);
/// Does the same without taking the bucket's lock. Requires: the caller holds it exclusively, so
/// that no publish replaces the link between the check and the rename. `when` is the time of
/// retirement that a collection compares with its grace.
[[nodiscard]] Result<bool> retire_if_locked(const cache::Root& root, const std::string& key_path,
                                            const format::Id& id,
                                            format::RetiredAt when = format::retired_now());

}  // namespace larder::protocol
