// SPDX-License-Identifier: MIT
// Waits for a lock. A wait returns its result: whether the lock was acquired, how long that took,
// and which processes held it.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/wait.hpp"
#include "cache/call_context.hpp"
#include "cache/root.hpp"

namespace larder::cache {

/// Numbers of locks. A lock has a number that is the same in every process, by which the activities
/// in the lease tables name it.
using LockNumbers = std::vector<std::uint64_t>;

/// Returns which processes hold one of these locks, by the lease tables: "pid 4711 (uv pip
/// install), for 3 s". It is for messages alone, because the tables are written after the lock is
/// taken. Returns "a process that can't be named" if no table names a holder, or if the tables
/// cannot be read.
[[nodiscard]] std::string describe_holders(const Root& root, const LockNumbers& locks);

/// The result of a wait: how it ended, how long it took, and whom it waited for.
struct LockWait {
    base::Waited::End end = base::Waited::End::acquired;
    std::chrono::steady_clock::duration took{};  ///< zero if the lock was free at once
    std::string holders;  ///< empty unless the wait lasted a second, or the lock was not acquired

    [[nodiscard]] bool acquired() const noexcept { return end == base::Waited::End::acquired; }
};

/// A lock to wait for, and how patiently. The references are to variables of the caller, which must
/// outlive the wait.
struct AwaitedLock {
    const std::string& what;    ///< for people: "bucket wheels-v1"
    const LockNumbers& blamed;  ///< the locks whose holders keep the caller waiting
    std::chrono::milliseconds limit;
    std::chrono::microseconds longest_pause;
};

/// What a wait asks the program from time to time: whether it goes on. Life: the arguments must
/// live longer.
class WaitQuestion {
public:
    WaitQuestion(const Root& root, const CallContext& context, const AwaitedLock& lock);
    /// Returns the question; null if the program has none.
    [[nodiscard]] const std::function<bool()>* function() const noexcept {
        return own_ ? &own_ : in_cache_;
    }

private:
    const std::function<bool()>* in_cache_;  // that of the cache; null if there is none
    std::function<bool()> own_;              // that of the call, and of the cache; may be empty
};

/// Announces in the journal, if there is one, that a wait goes on. Returns which processes hold the
/// lock; an empty text without a journal.
[[nodiscard]] std::string announce_wait(const Root& root, const CallContext& context,
                                        const AwaitedLock& lock,
                                        std::chrono::steady_clock::duration waited);

/// Writes a wait down in the journal, if there is one: as `waited` if the lock was acquired, and as
/// `gave_up` otherwise. A lock that was free at once is no wait.
void note_wait(const CallContext& context, std::string what, LockWait wait) noexcept;

/// Waits as base::wait_until does, and tells which processes held the lock if it was not acquired.
/// Announces a wait that has lasted a second. (A second is arbitrary: about then a person begins to
/// wonder.) A wait that ended without the lock is a result and no error; the caller decides what it
/// means. `attempt` returns a Result<bool>: whether the lock is acquired now. `while_waiting` is
/// called after each attempt that failed, and ends the wait if it returns false. Errors: those of
/// `attempt`.
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
    const WaitQuestion question(root, context, lock);
    TRY_ASSIGN(const base::Waited waited,
               base::wait_until({lock.limit, lock.longest_pause, context.stop, question.function()},
                                attempt, go_on));
    wait.end = waited.end;
    wait.took = waited.took;
    if (!wait.acquired()) wait.holders = describe_holders(root, lock.blamed);
    return wait;
}

}  // namespace larder::cache
