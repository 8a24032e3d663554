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

/// The place of a lock of a bucket: a byte of a file in `locks/`. Two buckets may share a byte, by
/// an accident of less than one in 10^12 among a thousand buckets. Then they exclude each other,
/// and nothing else happens: no thread holds the locks of two buckets.
struct LockPlace {
    const char* file;
    std::uint64_t number;  ///< of the byte; activities name the lock by it

    LockPlace(const char* in_file, const std::string& encoded_bucket)
        : file(in_file), number(os::Range::byte(format::digest(in_file, encoded_bucket)).start) {}
    [[nodiscard]] os::Range range() const noexcept { return os::Range::byte(number); }
};

/// Returns the number of the collector's lock, by which activities name it.
std::uint64_t collector_number() { return format::digest("locks", format::collector_lock_name); }

/// Returns what messages and activities call the lock of a bucket.
std::string label_of(const std::string& encoded_bucket) { return "bucket " + encoded_bucket; }

/// One wait of a thread for a bucket's lock: first at the gate, then for the lock itself. Both
/// together have the time limit of the call, and are one wait in the journal.
class BucketLockWait {
public:
    BucketLockWait(Root& root, const std::string& encoded_bucket, const CallContext& context)
        : root_(root),
          context_(context),
          what_(label_of(encoded_bucket)),
          bucket_(format::buckets_lock_name, encoded_bucket),
          gate_(format::gates_lock_name, encoded_bucket),
          both_{bucket_.number, gate_.number},
          bucket_only_{bucket_.number} {}

    [[nodiscard]] const std::string& what() const noexcept { return what_; }
    [[nodiscard]] const LockPlace& bucket() const noexcept { return bucket_; }
    [[nodiscard]] const LockPlace& gate() const noexcept { return gate_; }

    /// Waits for the gate, and takes it. Errors: as wait_until.
    Result<FileLock> take_gate() { return take(gate_, Mode::exclusive, both_); }

    /// Waits until no process holds the gate. It is not taken: if a sharer took it, other sharers
    /// and an exclusive waiter would have to wait for that one. Errors: as wait_until.
    Result<> pass_gate() {
        return wait_until(gate_, both_, [&]() -> Result<bool> {
            TRY_ASSIGN(const os::State state, os::look_at(locks(), gate_.file, gate_.range()));
            return state != os::State::taken;
        });
    }

    /// Waits for the bucket's lock, and takes it. Names only the holders of this lock: the holder
    /// of the gate waits for them too, and may be this process. Errors: as wait_until.
    Result<FileLock> take_bucket(Mode mode) { return take(bucket_, mode, bucket_only_); }

    /// Writes the wait down in the journal, as one that got the lock.
    void note_success() { note_wait(context_, std::move(what_), std::move(whole_)); }

private:
    [[nodiscard]] const os::Dir& locks() const noexcept { return root_.dirs().locks; }

    /// Waits for the lock at `place`, and takes it. Errors: as wait_until.
    Result<FileLock> take(const LockPlace& place, Mode mode, const LockNumbers& blamed) {
        std::optional<FileLock> held;
        TRY(wait_until(place, blamed, [&]() -> Result<bool> {
            TRY_ASSIGN(held, FileLock::try_lock(locks(), place.file, mode, place.range()));
            return held.has_value();
        }));
        return std::move(*held);
    }

    /// Waits until `attempt` returns true, with what is left of the time limit. Errors: `busy` if
    /// that time is over, with the holders of the locks in `blamed`; `interrupted`; those of
    /// `attempt`. After the first two, the whole wait is written down in the journal.
    template <class Attempt>
    Result<> wait_until(const LockPlace& place, const LockNumbers& blamed, Attempt attempt) {
        const AwaitedLock lock{
            .what = what_, .blamed = blamed, .limit = time_left(), .longest_pause = longest_pause};
        TRY_ASSIGN(LockWait wait, wait_for_lock(root_, context_, lock, attempt, between_attempts));
        whole_.end = wait.end;
        whole_.took += wait.took;
        if (!wait.holders.empty()) whole_.holders = std::move(wait.holders);
        if (whole_.acquired()) return {};
        return give_up(locks() / place.file);
    }

    /// Returns what is left of the call's time limit; 0 if it is over, for one attempt more.
    [[nodiscard]] std::chrono::milliseconds time_left() const {
        const auto used = std::chrono::floor<std::chrono::milliseconds>(whole_.took);
        return std::max(context_.lock_timeout - used, std::chrono::milliseconds(0));
    }

    /// Is called after each attempt that failed, and lets the wait go on.
    static bool between_attempts(std::chrono::steady_clock::duration) {
        (void)os::point("lock.waiting");
        return true;
    }

    /// Writes the wait down in the journal, and returns its error.
    tl::unexpected<Error> give_up(const std::filesystem::path& lock_file) {
        const bool stopped = whole_.end == base::Waited::End::interrupted;
        auto failure = stopped ? fail(Errc::interrupted, "wait for lock", lock_file,
                                      "stopped on request; held by " + whole_.holders)
                               : fail(Errc::busy, "wait for lock", lock_file,
                                      "held by " + whole_.holders + "; try again when it is done");
        note_wait(context_, std::move(what_), std::move(whole_));
        return failure;
    }

    Root& root_;
    const CallContext& context_;
    std::string what_;  // for people: "bucket wheels-v1"
    const LockPlace bucket_, gate_;
    const LockNumbers both_, bucket_only_;  // whose holders a message names
    LockWait whole_;                        // the waits so far, added up
};

}  // namespace

Result<BucketLock> BucketLock::acquire(Root& root, const std::string& encoded_bucket, Mode mode,
                                       const CallContext& context) {
    BucketLockWait wait(root, encoded_bucket, context);
    Activity activity(root.participant_if_possible(context), wait.bucket().number, wait.what(),
                      Activity::Shows::waiting);
    std::optional<FileLock> gate;  // let go when this function returns
    std::optional<Activity> holding_gate;
    if (mode == Mode::exclusive) {
        TRY_ASSIGN(gate, wait.take_gate());
        holding_gate.emplace(root.participant_if_possible(context), wait.gate().number,
                             "gate " + encoded_bucket, Activity::Shows::holding);
        (void)os::point("lock.at-gate");
    } else {
        TRY(wait.pass_gate());
        (void)os::point("lock.past-gate");
    }
    TRY_ASSIGN(FileLock held, wait.take_bucket(mode));
    activity.set_holding();
    wait.note_success();
    return BucketLock(std::move(held), std::move(activity));
}

Result<BucketLock> BucketLock::shared(Root& root, const std::string& encoded_bucket,
                                      const CallContext& context) {
    return acquire(root, encoded_bucket, Mode::shared, context);
}

Result<BucketLock> BucketLock::exclusive(Root& root, const std::string& encoded_bucket,
                                         const CallContext& context) {
    return acquire(root, encoded_bucket, Mode::exclusive, context);
}

Result<std::optional<BucketLock>> BucketLock::try_exclusive(Root& root,
                                                            const std::string& encoded_bucket) {
    const LockPlace bucket(format::buckets_lock_name, encoded_bucket);
    TRY_ASSIGN(auto held,
               FileLock::try_lock(root.dirs().locks, bucket.file, Mode::exclusive, bucket.range()));
    if (!held) return std::nullopt;
    Activity activity(root.joined(), bucket.number, label_of(encoded_bucket),
                      Activity::Shows::holding);
    return std::optional(BucketLock(std::move(*held), std::move(activity)));
}

Result<CollectorLock> CollectorLock::try_lock(Root& root) {
    TRY(root.must_be_writable("collect or verify"));
    TRY_ASSIGN(auto held,
               FileLock::try_lock(root.dirs().locks, format::collector_lock_name, Mode::exclusive));
    if (!held) {
        return fail(Errc::busy, "collect or verify", root.dirs().root.path,
                    "collected or verified already by " +
                        describe_holders(root, {collector_number()}) + "; leave it to that one");
    }
    return CollectorLock(std::move(*held));
}

void CollectorLock::announce(Participant* participant) {
    activity_.emplace(participant, collector_number(), "collector", Activity::Shows::holding);
}

}  // namespace larder::cache
