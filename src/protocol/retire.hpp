// SPDX-License-Identifier: MIT
// Retire: takes a link out of its bucket. The entry that it names is garbage from then on, forever
// (invariant 3).
#pragma once

#include <larder/options.hpp>
#include <larder/report.hpp>

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Retires the link of a key, whatever it names. Waits for the bucket's lock, exclusively, so that
/// no publish puts a link there meanwhile. For `power`, what is retired, or was missing, stays so
/// after a power cut. Errors: `miss` if the key has no link; `busy`, `interrupted`; `damaged` if
/// something stands there that is no link of this cache. If a sync has failed, the link is retired,
/// and a power cut may bring it back.
[[nodiscard]] Result<> remove(const RootRef& root, const KeyRef& place, Durability durability,
                              const cache::CallContext& context);

/// What a refresh of a whole bucket has met.
enum class Refreshed {
    done,       ///< the bucket is retired
    no_bucket,  ///< there is none, or `buckets/` itself was deleted: then the Root is lost
    lost,       ///< nothing is retired, because a directory of the Root was deleted
};
/// Retires every key of a bucket at once, by one rename. Waits for no process, and takes no lock.
/// If its directory cannot be renamed, this retires key by key, which is not atomic: a key that is
/// published meanwhile may be retired or not. For `power`, as in remove.
[[nodiscard]] Result<Refreshed> refresh(const RootRef& root, const std::string& encoded_bucket,
                                        Durability durability, const cache::CallContext& context);

/// The result of a refresh of some keys.
struct PartialRefresh {
    std::uint64_t taken = 0;  ///< keys that were retired, also if `done` is an error
    Result<> done;
};
/// Retires the keys of a bucket that match `options`, one by one. Waits for the bucket's lock only
/// if the options have an age. A key that cannot be read or retired stops no other; its error, the
/// first one, is returned at the end. Succeeds if there is no such bucket.
[[nodiscard]] PartialRefresh refresh_some(const RootRef& root, std::string_view bucket,
                                          const std::string& encoded_bucket,
                                          const RefreshOptions& options,
                                          const cache::CallContext& context);

}  // namespace larder::protocol
