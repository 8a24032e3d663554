// SPDX-License-Identifier: MIT
// Publish: to make a staged tree visible under a key, atomically.
#pragma once

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/stage.hpp"

namespace larder::protocol {

/// Whether an entry that the key has already gives way. Where it does not, that is `exists`, decided in the same instant as the publish.
enum class Replace { yes, no };

[[nodiscard]] Result<SlotLease> publish(Stage stage, const KeyRef& place,
                                        const PublishOptions& options,
                                        const cache::CallContext& context,
                                        Replace replace = Replace::yes);

}  // namespace larder::protocol
