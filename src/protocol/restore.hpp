// SPDX-License-Identifier: MIT
// Restore: to publish once more what was retired and is not collected yet. The id that was retired stays garbage (invariant 3): the same
// files come back under a new one.
#pragma once

#include "cache/locks.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Errors: `miss` where no retired link names `id`; `exists` where its key has an entry again and `replace` is off; `busy` while
/// somebody collects.
[[nodiscard]] Result<SlotLease> restore(const RootRef& root, const format::Id& id, bool replace,
                                        const cache::CallContext& context);

}  // namespace larder::protocol
