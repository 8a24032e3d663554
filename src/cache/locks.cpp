// SPDX-License-Identifier: MIT
#include "cache/locks.hpp"

#include <algorithm>

#include "cache/root_files.hpp"
#include "format/layout.hpp"
#include "format/lock_bytes.hpp"
#include "os/points.hpp"

namespace larder::cache {

namespace {

using os::FileLock;
using os::Mode;
using os::Range;

/// A bucket's lock is held for some ten microseconds. Longer pauses would only make the wait
/// longer.
constexpr std::chrono::microseconds longest_pause{1000};

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
          bytes_(format::bucket_bytes(encoded_bucket)),
          both_{bytes_.lock, bytes_.gate},
          bucket_only_{bytes_.lock} {}

    [[nodiscard]] const std::string& what() const noexcept { return what_; }
    [[nodiscard]] const format::BucketBytes& bytes() const noexcept { return bytes_; }

    /// Waits for the gate, and takes it. Errors: as wait_until.
    Result<> take_gate(FileLock& lock) {
        return take(lock, Mode::exclusive, Range::byte(bytes_.gate), both_);
    }

    /// Waits until no process holds the gate. It is not taken: if a sharer took it, other sharers
    /// and an exclusive waiter would have to wait for that one. `lock` has no lock yet. Errors: as
    /// wait_until.
    Result<> pass_gate(const FileLock& lock) {
        return wait_until(both_, [&]() -> Result<bool> {
            TRY_ASSIGN(const bool taken, lock.is_taken(Range::byte(bytes_.gate)));
            return !taken;
        });
    }

    /// Waits for the bucket's lock, and takes it. Names only the holders of this lock: the holder
    /// of the gate waits for them too, and may be this process. Errors: as wait_until.
    Result<> take_bucket(FileLock& lock, Mode mode) {
        return take(lock, mode, Range::byte(bytes_.lock), bucket_only_);
    }

    /// Writes the wait down in the journal, as one that got the lock.
    void note_success() { note_wait(context_, std::move(what_), std::move(whole_)); }

private:
    /// Waits for the lock on a byte, and takes it. Errors: as wait_until.
    Result<> take(FileLock& lock, Mode mode, const Range& byte, const LockNumbers& blamed) {
        return wait_until(blamed, [&] { return lock.try_lock(mode, byte); });
    }

    /// Waits until `attempt` returns true, with what is left of the time limit. Errors: `busy` if
    /// that time is over, with the holders of the locks in `blamed`; `interrupted`; those of
    /// `attempt`. After the first two, the whole wait is written down in the journal.
    template <class Attempt>
    Result<> wait_until(const LockNumbers& blamed, Attempt attempt) {
        const AwaitedLock lock{
            .what = what_, .blamed = blamed, .limit = time_left(), .longest_pause = longest_pause};
        TRY_ASSIGN(LockWait wait, wait_for_lock(root_, context_, lock, attempt, between_attempts));
        whole_.end = wait.end;
        whole_.took += wait.took;
        if (!wait.holders.empty()) whole_.holders = std::move(wait.holders);
        if (whole_.acquired()) return {};
        return give_up();
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
    tl::unexpected<Error> give_up() {
        const auto lock_file = root_.dirs().root / format::locks_name;
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
    const format::BucketBytes bytes_;
    const LockNumbers both_, bucket_only_;  // whose holders a message names
    LockWait whole_;                        // the waits so far, added up
};

}  // namespace

Result<FileLock> open_locks(const Root& root) {
    const os::Dir& dir = root.dirs().root;
    auto opened = FileLock::open(dir, format::locks_name);
    if (opened) return opened;
    if (const auto info = os::stat_at(dir, format::locks_name); info && !info->is_regular()) {
        opened.error().code = Errc::damaged;
        opened.error().detail = file_belongs_here;
    }
    return opened;
}

Result<BucketLock> BucketLock::acquire(Root& root, const std::string& encoded_bucket, Mode mode,
                                       const CallContext& context) {
    BucketLockWait wait(root, encoded_bucket, context);
    Activity activity(root.participant_if_possible(context), wait.bytes().lock, wait.what(),
                      Activity::Shows::waiting);
    TRY_ASSIGN(FileLock held, open_locks(root));
    std::optional<FileLock> gate;  // let go when this function returns
    std::optional<Activity> holding_gate;
    if (mode == Mode::exclusive) {
        TRY_ASSIGN(gate, open_locks(root));
        TRY(wait.take_gate(*gate));
        holding_gate.emplace(root.participant_if_possible(context), wait.bytes().gate,
                             "gate " + encoded_bucket, Activity::Shows::holding);
        (void)os::point("lock.at-gate");
    } else {
        TRY(wait.pass_gate(held));
        (void)os::point("lock.past-gate");
    }
    TRY(wait.take_bucket(held, mode));
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
    const std::uint64_t byte = format::bucket_bytes(encoded_bucket).lock;
    TRY_ASSIGN(FileLock held, open_locks(root));
    TRY_ASSIGN(const bool is_ours, held.try_lock(Mode::exclusive, Range::byte(byte)));
    if (!is_ours) return std::nullopt;
    Activity activity(root.joined(), byte, label_of(encoded_bucket), Activity::Shows::holding);
    return std::optional(BucketLock(std::move(held), std::move(activity)));
}

Result<CollectorLock> CollectorLock::try_lock(Root& root) {
    TRY(root.must_be_writable("collect or verify"));
    TRY_ASSIGN(FileLock held, open_locks(root));
    // A pipe can be locked, too. But a destroy takes it for another program's.
    const auto info = os::try_stat(held.file());
    if (info && !info->is_regular())
        return fail(Errc::damaged, "open", root.dirs().root / format::locks_name,
                    file_belongs_here);
    TRY_ASSIGN(const bool is_ours,
               held.try_lock(Mode::exclusive, Range::byte(format::collector_byte)));
    if (!is_ours) {
        return fail(Errc::busy, "collect or verify", root.dirs().root.path,
                    "collected, verified, restored or destroyed already by " +
                        describe_holders(root, {format::collector_byte}) +
                        "; leave it to that one");
    }
    return CollectorLock(std::move(held));
}

void CollectorLock::announce(Participant* participant) {
    activity_.emplace(participant, format::collector_byte, "collector", Activity::Shows::holding);
}

}  // namespace larder::cache
