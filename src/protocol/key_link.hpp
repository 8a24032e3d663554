// SPDX-License-Identifier: MIT
// Takes the link of a key out of its bucket, if it still names what the caller has judged. Get,
// publish, remove, refresh, verify and evict retire links by these functions.
#pragma once

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Returns whether the bucket's directory exists. Errors: `damaged` if something else stands there,
/// such as a symlink: nothing below it is ours to rename.
[[nodiscard]] Result<bool> bucket_exists(const cache::Root& root,
                                         const std::string& encoded_bucket);

/// Retires the link of a key if it names `id`. Returns whether it did. Waits for the bucket's lock.
[[nodiscard]] Result<bool> retire_if(cache::Root& root, const KeyRef& place, const format::Id& id,
                                     const cache::CallContext& context);
/// Does the same if the bucket's lock is free; otherwise does nothing and returns false.
[[nodiscard]] Result<bool> retire_if_unlocked(cache::Root& root, const KeyRef& place,
                                              const format::Id& id);
/// Does the same for a caller that holds the bucket's lock, exclusively.
[[nodiscard]] Result<bool> retire_if_locked(const cache::Root& root, const std::string& key_path,
                                            const format::Id& id);

}  // namespace larder::protocol
