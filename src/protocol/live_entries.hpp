// SPDX-License-Identifier: MIT
// Goes through the live entries without a lock, and leases them one at a time.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Calls `visit(id)` for each entry that a key of these buckets names, or of all buckets if none is
/// given. `encoded_buckets` are the names of the buckets' directories. Passes each error, also of
/// `visit`, to `note`, and ends at the first error that `note` returns.
[[nodiscard]] Result<> for_each_live(const cache::Root& root,
                                     const std::vector<std::string>& encoded_buckets,
                                     const std::function<Result<>(const Result<>& done)>& note,
                                     const std::function<Result<>(const format::Id& id)>& visit);

/// A live entry, and the lease that keeps it. In a cache that is only read there is no lease, and
/// the entry may be collected at any time.
class LiveEntry {
public:
    /// Leases the entry `id` if the key in its record names it. That is no use of the entry.
    /// Returns nullopt if no key names it any more, and also if its record is damaged, because then
    /// its key is unknown. Errors: those of SlotLease::take and of reading the record.
    [[nodiscard]] static Result<std::optional<LiveEntry>> lease(const RootRef& root,
                                                                const format::Id& id,
                                                                const cache::CallContext& context);

    /// Returns its key. Valid as long as this LiveEntry is neither moved nor destroyed.
    [[nodiscard]] KeyRef place() const {
        return {.bucket = bucket_, .encoded_bucket = encoded_bucket_, .key = key_, .path = path_};
    }
    /// Returns whether its key names it still.
    [[nodiscard]] Result<bool> is_named() const;

private:
    LiveEntry() = default;

    RootRef root_;
    format::Id id_;
    SlotLease lease_;
    std::string bucket_, key_;           // as in the record
    std::string encoded_bucket_, path_;  // as on the disk
};

}  // namespace larder::protocol
