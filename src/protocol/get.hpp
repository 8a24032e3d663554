// SPDX-License-Identifier: MIT
// Get: leases the entry that a key names. It never waits. It takes no lock, except that it tries
// the lock of the bucket once if it retires a link that leads nowhere. It writes nothing but the
// lease and, at most once an hour for each entry, the time of its last use.
#pragma once

#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Returns a lease on the entry of a key. If the cache was opened read-only, the lease protects
/// nothing: see SlotLease::is_protected. Errors: `miss` if the key names no complete entry;
/// `no_space` if this is the first call of the process and it cannot join the cache.
[[nodiscard]] Result<SlotLease> get(const RootRef& root, const KeyRef& place,
                                    const cache::CallContext& context);

}  // namespace larder::protocol
