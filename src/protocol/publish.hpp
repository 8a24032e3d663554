// SPDX-License-Identifier: MIT
// Publish: makes a staged entry visible under a key, atomically.
#pragma once

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/stage.hpp"

namespace larder::protocol {

/// Whether publish replaces an entry that the key names already. If not, it fails with `exists`. No
/// other process can publish between this check and the publish.
enum class Replace { yes, no };

/// Publishes the stage and returns a lease on the new entry. See Bucket::publish for errors, waits
/// and crashes. If it fails, the caller still owns the stage, and calls Stage::give_back.
[[nodiscard]] Result<SlotLease> publish(Stage& stage, const KeyRef& place,
                                        const PublishOptions& options,
                                        const cache::CallContext& context,
                                        Replace replace = Replace::yes);

}  // namespace larder::protocol
