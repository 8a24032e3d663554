// SPDX-License-Identifier: MIT
// Retire: takes a link out of its bucket. The entry that it names is garbage from then on, forever
// (invariant 3).
#pragma once

#include <larder/report.hpp>

#include "cache/locks.hpp"
#include "protocol/key_ref.hpp"
#include "protocol/slot_lease.hpp"

namespace larder::protocol {

/// Retires the link of a key, whatever it names. Errors: `miss`, `busy`.
[[nodiscard]] Result<> remove(const RootRef& root, const KeyRef& place,
                              const cache::CallContext& context);

/// Retires every key of a bucket at once, by one rename. Waits for no process.
[[nodiscard]] Result<> refresh(const RootRef& root, const std::string& encoded_bucket,
                               const cache::CallContext& context);

/// The result of a refresh of some keys.
struct PartialRefresh {
    std::uint64_t taken = 0;  ///< keys that were retired, also if `done` is an error
    Result<> done;
};
/// Retires the keys of a bucket that match `options`, one by one.
[[nodiscard]] PartialRefresh refresh_some(const RootRef& root, std::string_view bucket,
                                          const std::string& encoded_bucket,
                                          const RefreshOptions& options,
                                          const cache::CallContext& context);

}  // namespace larder::protocol
