// SPDX-License-Identifier: MIT
// Restore: publishes the files of a retired entry once more, under a new id. The id that was
// retired stays garbage (invariant 3).
#pragma once

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Publishes a copy of the retired entry `id` under the bucket and key of its record, and returns a
/// lease on it. Holds the collector's lock meanwhile, so that the files are not collected. Errors:
/// `miss` if no retired link names `id`; `exists` if its key names an entry again and `replace` is
/// off; `busy` while another process collects; `damaged` if the entry has no record to tell its
/// key.
[[nodiscard]] Result<SlotLease> restore(const RootRef& root, const format::Id& id, bool replace,
                                        const cache::CallContext& context);

}  // namespace larder::protocol
