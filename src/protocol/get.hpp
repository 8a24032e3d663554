// SPDX-License-Identifier: MIT
// Get: to lease the entry that a key names. No lock, no write to the disk.
#pragma once

#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

[[nodiscard]] Result<SlotLease> get(const RootRef& root, const KeyRef& place,
                                    const cache::CallContext& context);

}  // namespace larder::protocol
