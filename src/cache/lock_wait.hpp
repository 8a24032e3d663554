// SPDX-License-Identifier: MIT
// Waits for a lock. A wait returns what came of it: whether the lock
// was acquired, how long that took, and who held it.
#pragma once

#include <string>
#include <vector>

#include "base/wait.hpp"
#include "cache/call_context.hpp"
#include "cache/root.hpp"

namespace larder::cache {

/// Locks by a number that is the same in every process. The activities in the participants' tables
/// speak of these numbers.
using LockNumbers = std::vector<std::uint64_t>;

/// Returns who holds one of these locks by the tables: "pid 4711 (uv pip install), for 3 s".
/// Returns "a process that can't be named" if no table says so.
[[nodiscard]] std::string describe_holders(const Root& root, const LockNumbers& locks);

/// What came of a wait.
struct LockWait {
    base::Waited::End end = base::Waited::End::acquired;
    std::chrono::steady_clock::duration took{};  ///< zero if the lock was free at once
    std::string holders;  ///< empty unless the wait lasted a second, or the lock was not acquired

    [[nodiscard]] bool acquired() const noexcept { return end == base::Waited::End::acquired; }
};

/// A lock to wait for, and how patiently.
struct AwaitedLock {
    const std::string& what;    ///< for people: "bucket wheels-v1"
    const LockNumbers& blamed;  ///< the locks whose holders the wait is for
    std::chrono::milliseconds limit;
    std::chrono::microseconds longest_pause;
};

/// Announces in the journal, if there is one, that a wait goes on. Returns who holds the lock.
[[nodiscard]] std::string announce_wait(const Root& root, const CallContext& context,
                                        const AwaitedLock& lock,
                                        std::chrono::steady_clock::duration waited);

/// Writes a wait down in the journal, if there is one. A lock that was free at once is no wait.
void note_wait(const CallContext& context, std::string what, LockWait wait) noexcept;

/// Waits as base::wait_until does. A wait that has lasted a second is announced. (A second is
/// arbitrary, because a person begins to wonder then.)
template <class Attempt, class WhileWaiting>
[[nodiscard]] Result<LockWait> wait_for_lock(const Root& root, const CallContext& context,
                                             const AwaitedLock& lock, Attempt attempt,
                                             WhileWaiting while_waiting) {
    LockWait wait;
    bool announced = false;
    const auto go_on = [&](std::chrono::steady_clock::duration waited) {
        if (!announced && waited >= std::chrono::seconds(1)) {
            announced = true;
            wait.holders = announce_wait(root, context, lock, waited);
        }
        return while_waiting(waited);
    };
    TRY_ASSIGN(const base::Waited waited,
               base::wait_until({lock.limit, lock.longest_pause, context.stop}, attempt, go_on));
    wait.end = waited.end;
    wait.took = waited.took;
    if (!wait.acquired()) wait.holders = describe_holders(root, lock.blamed);
    return wait;
}

}  // namespace larder::cache
