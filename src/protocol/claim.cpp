// SPDX-License-Identifier: MIT
#include "protocol/claim.hpp"

#include <algorithm>

#include "cache/lock_wait.hpp"
#include "os/points.hpp"
#include "protocol/get.hpp"

namespace larder::protocol {

Result<Claim> take_up(BuildLock lock, const RootRef& root, const KeyRef& place,
                      const cache::CallContext& context) {
    (void)os::point("build.locked");
    auto found = get(root, place, context);
    if (found) return Claim(std::move(*found));
    if (found.error().code != Errc::miss) return tl::make_unexpected(std::move(found).error());
    TRY_ASSIGN(Stage stage, Stage::make(root, context));
    return Claim(ClaimedStage{std::move(lock), std::move(stage)});
}

Result<Claim> claim(const RootRef& root, const KeyRef& place, const cache::CallContext& context) {
    // A claim ends with a publish, which needs a participant. If this process cannot join the
    // cache, this call should fail now, and not when all is built.
    TRY(root->participant(context));
    const OwnPart own = own_part_of(build_of(*root, place));
    if (own == OwnPart::key) return wants_own_key(*root, place);
    BuildLock lock(root, place, context);
    if (own == OwnPart::byte) {
        lock.share_own();
    } else {
        TRY_ASSIGN(const bool is_taken, lock.try_take());
        if (!is_taken) {
            return fail(Errc::busy, "claim", root->dirs().buckets / place.path,
                        "built by " + cache::describe_holders(*root, {lock.number()}));
        }
    }
    return take_up(std::move(lock), root, place, context);
}

cache::CallContext patient_as_a_build(const cache::CallContext& context) {
    cache::CallContext patient = context;
    patient.lock_timeout = std::max(context.lock_timeout, context.build_timeout);
    return patient;
}

}  // namespace larder::protocol
