// SPDX-License-Identifier: MIT
// Retire: to take a link out of its bucket. The entry it names is garbage from then on, and for ever (invariant 3).
#pragma once

#include <larder/report.hpp>

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Retires the link of a key, whatever it names. Errors: `miss`, `busy`.
[[nodiscard]] Result<> remove(const RootRef& root, const KeyRef& place,
                              const cache::CallContext& context);

/// Retires the link of a key if it still names `id`; whether it did, is the result. Waits for the bucket's lock.
[[nodiscard]] Result<bool> retire_if(cache::Root& root, const KeyRef& place, const format::Id& id,
                                     const cache::CallContext& context);
/// The same where the lock is free; else does nothing.
[[nodiscard]] Result<bool> retire_if_unlocked(cache::Root& root, const KeyRef& place,
                                              const format::Id& id);

/// Whether the link of a key that is not pinned names `id`, and its last use was before `used_by`.
[[nodiscard]] Result<bool> is_evictable(const cache::Root& root, const KeyRef& place,
                                        const format::Id& id, WallTime used_by);
/// Retires such a link, and no other; whether it did, is the result. Waits for the bucket's lock.
[[nodiscard]] Result<bool> retire_unused(cache::Root& root, const KeyRef& place,
                                         const format::Id& id, WallTime used_by,
                                         const cache::CallContext& context);

/// Retires every key of a bucket at once.
[[nodiscard]] Result<> refresh(const RootRef& root, const std::string& encoded_bucket,
                               const cache::CallContext& context);

/// Retires those keys of a bucket that fit, one by one. How many is the result.
[[nodiscard]] Result<std::uint64_t> refresh_some(const RootRef& root, std::string_view bucket,
                                                 const std::string& encoded_bucket,
                                                 const RefreshOptions& options,
                                                 const cache::CallContext& context);

}  // namespace larder::protocol
