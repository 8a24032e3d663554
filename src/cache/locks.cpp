// SPDX-License-Identifier: MIT
#include "cache/locks.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "format/name.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

using base::Waited;
using os::FileLock;
using os::Mode;

/// A bucket's lock is held for some ten microseconds: longer pauses would only add to the wait.
constexpr std::chrono::microseconds longest_pause{1000};

std::uint64_t number_of(const std::string& lock_name) { return format::digest("locks", lock_name); }

std::string label_of(const std::string& encoded_bucket) { return "bucket " + encoded_bucket; }

/// Waits until `attempt` is true, for as long as is left of the caller's limit; the error of a vain wait names the holders of the locks `blamed`.
template <class Attempt>
Result<> wait_for(const Root& root, const std::string& name, const LockNumbers& blamed,
                  const CallContext& context, ObservedWait& wait, Attempt attempt) {
    const auto left =
        std::max(context.lock_timeout - std::chrono::floor<std::chrono::milliseconds>(wait.took()),
                 std::chrono::milliseconds(0));
    const auto go_on = [](std::chrono::steady_clock::duration) {
        (void)os::point("lock.waiting");
        return true;
    };
    TRY_ASSIGN(const Waited waited,
               wait.wait(root, context, left, longest_pause, blamed, attempt, go_on));
    const auto path = root.dirs().locks / name;
    switch (waited) {
        case Waited::had:
            return {};
        case Waited::interrupted:
            return fail(Errc::interrupted, "wait for lock", path,
                        "asked to stop; held by " + describe_holders(root, blamed));
        case Waited::too_long:
            break;
    }
    return fail(Errc::busy, "wait for lock", path,
                "held by " + describe_holders(root, blamed) + "; try again when it is done");
}

}  // namespace

void ObservedWait::tell(const Root& root, const CallContext& context, const LockNumbers& blamed,
                        std::chrono::steady_clock::duration waited) {
    if (!context.on_wait && context.observer == nullptr) return;
    holders_ = describe_holders(root, blamed);
    context.tell({.kind = Event::Kind::waiting, .what = what_, .who = holders_, .took = waited});
    if (context.on_wait) context.on_wait("waiting for " + holders_);
}

ObservedWait::~ObservedWait() {
    if (observer_ == nullptr || (took_.count() == 0 && !given_up_)) return;
    observer_->tell({.kind = given_up_ ? Event::Kind::gave_up : Event::Kind::waited,
                     .what = what_,
                     .who = holders_,
                     .took = took_});
}

Result<BucketLock> BucketLock::wait(Root& root, const std::string& encoded_bucket, Mode mode,
                                    const CallContext& context) {
    const std::string name = format::bucket_lock_name(encoded_bucket),
                      gate = format::gate_lock_name(encoded_bucket);
    ObservedWait observed(context, label_of(encoded_bucket));
    Activity activity(root.participant_if_possible(context), number_of(name), observed.what(),
                      true);
    const os::Dir& locks = root.dirs().locks;
    const LockNumbers both{number_of(name), number_of(gate)};
    const auto take = [&](const std::string& file, Mode as, const LockNumbers& blamed,
                          std::optional<FileLock>& held) {
        return wait_for(root, file, blamed, context, observed, [&]() -> Result<bool> {
            TRY_ASSIGN(held, FileLock::try_lock(locks, file, as));
            return held.has_value();
        });
    };
    std::optional<FileLock> at_gate, held;
    std::optional<Activity> holding_gate;
    if (mode == Mode::exclusive) {
        TRY(take(gate, Mode::exclusive, both, at_gate));
        holding_gate.emplace(root.participant_if_possible(context), number_of(gate),
                             "gate " + encoded_bucket, false);
    } else {
        // Passed through when it looks free, and never taken: one who passed would be what the next, and an exclusive waiter, waits for.
        os::State hint = os::State::missing;
        TRY(wait_for(root, gate, both, context, observed, [&]() -> Result<bool> {
            TRY_ASSIGN(hint, os::look_at(locks, gate));
            return hint != os::State::taken;
        }));
        // Made by who publishes first: a remove must find it on a disk that has no inode left.
        if (hint == os::State::missing) TRY(os::open_at(locks, gate, os::OpenMode::open_or_create));
    }
    (void)os::point(mode == Mode::exclusive ? "lock.at-gate" : "lock.past-gate");
    // Who waits at the gate now waits for this lock's holders as we do; and whoever is there is not to be blamed, least of all by itself.
    TRY(take(name, mode, {number_of(name)}, held));
    activity.set_holding();
    return BucketLock(std::move(*held), std::move(activity), std::move(observed));
}

Result<BucketLock> BucketLock::shared(Root& root, const std::string& encoded_bucket,
                                      const CallContext& context) {
    return wait(root, encoded_bucket, Mode::shared, context);
}

Result<BucketLock> BucketLock::exclusive(Root& root, const std::string& encoded_bucket,
                                         const CallContext& context) {
    return wait(root, encoded_bucket, Mode::exclusive, context);
}

Result<std::optional<BucketLock>> BucketLock::try_exclusive(Root& root,
                                                            const std::string& encoded_bucket) {
    const std::string name = format::bucket_lock_name(encoded_bucket);
    TRY_ASSIGN(auto held, FileLock::try_lock(root.dirs().locks, name, Mode::exclusive));
    if (!held) return std::nullopt;
    Activity activity(root.joined(), number_of(name), label_of(encoded_bucket), false);
    return std::optional(BucketLock(std::move(*held), std::move(activity), {}));
}

Result<CollectorLock> CollectorLock::try_lock(Root& root) {
    const auto& path = root.dirs().root.path;
    if (root.is_read_only())
        return fail(Errc::read_only, "collect or verify", path,
                    "the cache is open for reading only");
    const std::string name = format::collector_lock_name;
    TRY_ASSIGN(auto held, FileLock::try_lock(root.dirs().locks, name, Mode::exclusive));
    if (!held) {
        return fail(Errc::busy, "collect or verify", path,
                    "collected or verified already by " +
                        describe_holders(root, {number_of(name)}) + "; leave it to that one");
    }
    return CollectorLock(std::move(*held));
}

void CollectorLock::announce(Participant* participant) {
    activity_.emplace(participant, number_of(format::collector_lock_name), "collector", false);
}

std::string describe_holders(const Root& root, const LockNumbers& locks) {
    std::string text;
    const auto participants = read_participants(root.dirs().participants);
    if (participants) {
        const auto now = std::chrono::system_clock::now().time_since_epoch();
        for (const auto& participant : *participants) {
            for (const auto& activity : participant.table.activities) {
                const bool holds = !activity.waiting && std::find(locks.begin(), locks.end(),
                                                                  activity.lock) != locks.end();
                if (!holds || !participant.alive) continue;
                const auto held = std::chrono::duration_cast<std::chrono::seconds>(
                    now - std::chrono::nanoseconds(activity.since_nanos));
                if (!text.empty()) text += ", ";
                text +=
                    describe(participant.table) + ", for " + std::to_string(held.count()) + " s";
            }
        }
    }
    return text.empty() ? "a process that can't be named" : text;
}

}  // namespace larder::cache
