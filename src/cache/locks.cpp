// SPDX-License-Identifier: MIT
#include "cache/locks.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "format/name.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

using os::FileLock;
using os::Mode;

/// A bucket's lock is held for some ten microseconds. Longer pauses would only make the wait
/// longer.
constexpr std::chrono::microseconds longest_pause{1000};

/// A lock of a bucket: a byte of a file. Two buckets may share a byte, by an accident of less than
/// one in 10^12 among a thousand buckets. Then they exclude each other, and nothing else happens:
/// no thread holds the locks of two buckets.
struct LockPlace {
    const char* file;
    std::uint64_t number;

    LockPlace(const char* in, const std::string& encoded_bucket)
        : file(in), number(range_of(in, encoded_bucket).start) {}
    [[nodiscard]] os::Range range() const noexcept { return os::Range::byte(number); }

private:
    static os::Range range_of(const char* in, const std::string& encoded_bucket) {
        return os::Range::byte(format::digest(in, encoded_bucket));
    }
};

/// Returns the number of the collector's lock, by which activities name it.
std::uint64_t collector_number() { return format::digest("locks", format::collector_lock_name); }

std::string label_of(const std::string& encoded_bucket) { return "bucket " + encoded_bucket; }

}  // namespace

Result<BucketLock> BucketLock::wait(Root& root, const std::string& encoded_bucket, Mode mode,
                                    const CallContext& context) {
    const LockPlace bucket(format::buckets_lock_name, encoded_bucket),
        gate(format::gates_lock_name, encoded_bucket);
    std::string what = label_of(encoded_bucket);
    Activity activity(root.participant_if_possible(context), bucket.number, what, true);
    const os::Dir& locks = root.dirs().locks;
    const LockNumbers both{bucket.number, gate.number};
    LockWait whole;  // the wait at the gate and the wait for the bucket's lock together
    // Waits for one of the two locks with what is left of the limit, and adds the wait to `whole`.
    // Fails, and writes the whole wait down, if the lock was not acquired.
    const auto wait_for = [&](const LockPlace& place, const LockNumbers& blamed,
                              auto attempt) -> Result<> {
        const auto left = std::max(
            context.lock_timeout - std::chrono::floor<std::chrono::milliseconds>(whole.took),
            std::chrono::milliseconds(0));
        const AwaitedLock lock{
            .what = what, .blamed = blamed, .limit = left, .longest_pause = longest_pause};
        const auto go_on = [](std::chrono::steady_clock::duration) {
            (void)os::point("lock.waiting");
            return true;
        };
        TRY_ASSIGN(LockWait wait, wait_for_lock(root, context, lock, attempt, go_on));
        whole.end = wait.end;
        whole.took += wait.took;
        if (!wait.holders.empty()) whole.holders = std::move(wait.holders);
        if (whole.acquired()) return {};
        auto failure = whole.end == base::Waited::End::interrupted
                           ? fail(Errc::interrupted, "wait for lock", locks / place.file,
                                  "stopped on request; held by " + whole.holders)
                           : fail(Errc::busy, "wait for lock", locks / place.file,
                                  "held by " + whole.holders + "; try again when it is done");
        note_wait(context, std::move(what), std::move(whole));
        return failure;
    };
    const auto take = [&](const LockPlace& place, Mode as, const LockNumbers& blamed,
                          std::optional<FileLock>& held) {
        return wait_for(place, blamed, [&]() -> Result<bool> {
            TRY_ASSIGN(held, FileLock::try_lock(locks, place.file, as, place.range()));
            return held.has_value();
        });
    };
    std::optional<FileLock> at_gate, held;
    std::optional<Activity> holding_gate;
    if (mode == Mode::exclusive) {
        TRY(take(gate, Mode::exclusive, both, at_gate));
        holding_gate.emplace(root.participant_if_possible(context), gate.number,
                             "gate " + encoded_bucket, false);
    } else {
        // A sharer waits until the gate is free, and never takes it. If it took the gate, other
        // sharers and an exclusive waiter would have to wait for it.
        TRY(wait_for(gate, both, [&]() -> Result<bool> {
            TRY_ASSIGN(const auto hint, os::look_at(locks, gate.file, gate.range()));
            return hint != os::State::taken;
        }));
    }
    (void)os::point(mode == Mode::exclusive ? "lock.at-gate" : "lock.past-gate");
    // From here on, name only the holders of the bucket's lock. The holder of the gate waits for
    // them too, and may be this process.
    TRY(take(bucket, mode, {bucket.number}, held));
    activity.set_holding();
    note_wait(context, std::move(what), std::move(whole));
    return BucketLock(std::move(*held), std::move(activity));
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
    const LockPlace bucket(format::buckets_lock_name, encoded_bucket);
    TRY_ASSIGN(auto held,
               FileLock::try_lock(root.dirs().locks, bucket.file, Mode::exclusive, bucket.range()));
    if (!held) return std::nullopt;
    Activity activity(root.joined(), bucket.number, label_of(encoded_bucket), false);
    return std::optional(BucketLock(std::move(*held), std::move(activity)));
}

Result<CollectorLock> CollectorLock::try_lock(Root& root) {
    const auto& path = root.dirs().root.path;
    TRY(root.must_be_writable("collect or verify"));
    const std::string name = format::collector_lock_name;
    TRY_ASSIGN(auto held, FileLock::try_lock(root.dirs().locks, name, Mode::exclusive));
    if (!held) {
        return fail(Errc::busy, "collect or verify", path,
                    "collected or verified already by " +
                        describe_holders(root, {collector_number()}) + "; leave it to that one");
    }
    return CollectorLock(std::move(*held));
}

void CollectorLock::announce(Participant* participant) {
    activity_.emplace(participant, collector_number(), "collector", false);
}

}  // namespace larder::cache
