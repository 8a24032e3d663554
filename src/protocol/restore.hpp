// SPDX-License-Identifier: MIT
// Restore: publishes the files of a retired entry once more, under a new id. The id that was
// retired stays garbage (invariant 3).
#pragma once

#include <larder/options.hpp>

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Publishes a copy of the retired entry `id` under the bucket and key of its record, and returns a
/// lease on it. Holds the collector's lock meanwhile, so that the files are not collected. Errors:
/// `miss` if no retired link names `id`; `exists` if its key names an entry again and `replace`
/// does not allow that; `busy` while another process collects; `damaged` if the entry has no record
/// to tell its key, or if its files are not those that the record counts. After an error the
/// retired entry is as before.
[[nodiscard]] Result<SlotLease> restore(const RootRef& root, const format::Id& id,
                                        const RestoreOptions& options,
                                        const cache::CallContext& context);

}  // namespace larder::protocol
