// SPDX-License-Identifier: MIT
// Claim: the right to build an entry, which one thread or program has at a time, and for which
// nothing waits.
#pragma once

#include <variant>

#include "protocol/build_lock.hpp"
#include "protocol/stage.hpp"

namespace larder::protocol {

/// A key that is not built by others as long as this object lives. A publish of the stage, or its
/// destructor, must come before the lock is let go.
struct ClaimedStage {
    BuildLock lock;
    Stage stage;  ///< the last member, so that it ends first
};

/// The entry, if the key names one. Otherwise a stage in which the caller builds it.
using Claim = std::variant<SlotLease, ClaimedStage>;

/// Goes on after the lock of a build was taken: gets again, because another process may have
/// published before, and stages if that is a miss. Errors: those of get and of Stage::make; then
/// the lock is let go. See "Claim" in docs/protocol.md.
[[nodiscard]] Result<Claim> take_up(BuildLock lock, const RootRef& root, const KeyRef& place,
                                    const cache::CallContext& context);

/// Claims a key after a get was a miss; see Bucket::claim. Never waits. Errors: `busy` if another
/// builds it, with the holder; `invalid` if this thread builds the key; those of take_up.
[[nodiscard]] Result<Claim> claim(const RootRef& root, const KeyRef& place,
                                  const cache::CallContext& context);

/// Returns the context for the publish of what was built. What may have taken half an hour must not
/// be lost because a process that holds the bucket's lock was stopped. So this publish is as
/// patient as a wait for a build.
[[nodiscard]] cache::CallContext patient_as_a_build(const cache::CallContext& context);

}  // namespace larder::protocol
