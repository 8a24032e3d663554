// SPDX-License-Identifier: MIT
// Pin: protects the present and later entries of a key against eviction. Only evictions look at
// pins.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <larder/options.hpp>
#include <larder/report.hpp>

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"

namespace larder::policy {

/// Pins a key, under the bucket's lock, shared. An eviction looks for the pin under the same lock,
/// exclusive. So once this has returned, no eviction takes the key. A key that is pinned already
/// stays pinned. For `power`, the pin is on the disk when this returns. Errors: `busy`,
/// `interrupted`.
[[nodiscard]] Result<> pin(cache::Root& root, const protocol::KeyRef& place, Durability durability,
                           const cache::CallContext& context);
/// Ends a pin. Takes no lock: an eviction may take the key from now on, or not. For `power`, the
/// pin does not come back after a power cut. Errors: `miss` if the key is not pinned.
[[nodiscard]] Result<> unpin(const cache::Root& root, const protocol::KeyRef& place,
                             Durability durability);
/// Returns true if the key is pinned. If the caller holds the bucket's lock, exclusively, no pin of
/// it is made until the caller lets go.
[[nodiscard]] Result<bool> is_pinned(const cache::Root& root, const protocol::KeyRef& place);

/// Returns the pinned keys of a bucket, encoded.
[[nodiscard]] Result<std::set<std::string>> pins_of(const cache::Root& root,
                                                    const std::string& encoded_bucket);

/// Returns the pinned keys of all buckets. Leaves out a key that only the record of an entry holds
/// in full, if there is no such entry, or a damaged record. Ends at the first directory, link or
/// record that cannot be read.
[[nodiscard]] Result<std::vector<PinInfo>> list_pins(const cache::Root& root);

}  // namespace larder::policy
