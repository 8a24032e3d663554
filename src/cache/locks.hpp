// SPDX-License-Identifier: MIT
// The locks, and the order in which a process takes them. A process that holds a lock takes only
// locks of a higher number. Locks 1 to 4 are bytes of the file `locks` (format/lock_bytes.hpp), and
// each one has an open file of its own. docs/protocol.md has the same table.
//
//   1  collector    Exclusive; tried, and never waited for. Taken by collect, verify and restore,
//                   so that only one of them runs at a time.
//   2  build        Exclusive; one byte for each key. Taken by get_or_build, so that only one
//                   process builds a key at a time.
//   3  gate         Exclusive; one byte for each bucket. Held while a process waits for 4
//                   exclusively. Without it, processes that share 4 could keep that process waiting
//                   forever.
//   4  bucket       One byte for each bucket. Shared by publish and pin. Exclusive for remove,
//                   refresh by age, evict, repair, and publish without exchange. So the link that a
//                   process has checked is the link that it retires.
//   -  participant  Exclusive; held by a participant for as long as it lives. It shows that the
//                   process lives and owns its staging area.
//
// Nothing is staged, copied, hashed, synced or deleted while a bucket's lock is held. Get, refresh
// and collect never wait for a bucket's lock.
#pragma once

#include <optional>
#include <string>

#include "cache/lock_wait.hpp"
#include "os/file_lock.hpp"

namespace larder::cache {

/// Opens the file of the locks, for one lock.
[[nodiscard]] Result<os::FileLock> open_locks(const Root& root);

/// A bucket's lock, held from here to the destructor.
///
/// The gate is a second lock of the bucket. A process holds it while it waits for the bucket's lock
/// exclusively, and a process that wants to share first waits until the gate is free. Without the
/// gate, sharers that follow each other could keep the lock from the process that waits.
class BucketLock {
public:
    /// Waits until no process holds the gate, and then for the lock, shared. Writes the wait down
    /// in the journal. Requires: this thread holds no lock of a bucket. Errors: `busy`, with the
    /// holders' names; `interrupted`.
    [[nodiscard]] static Result<BucketLock> shared(Root& root, const std::string& encoded_bucket,
                                                   const CallContext& context);
    /// Takes the gate, waits for the lock, exclusively, and lets the gate go. Writes the wait down
    /// in the journal. Requires: this thread holds no lock of a bucket. Errors: `busy`, with the
    /// holders' names; `interrupted`.
    [[nodiscard]] static Result<BucketLock> exclusive(Root& root, const std::string& encoded_bucket,
                                                      const CallContext& context);
    /// Takes the lock, exclusively, if it is free. Returns nullopt if another process or thread
    /// holds it. It needs no gate, because it does not wait; and it writes nothing in the journal.
    /// Requires: this thread holds no lock of a bucket. Errors: only those of the system.
    [[nodiscard]] static Result<std::optional<BucketLock>> try_exclusive(
        Root& root, const std::string& encoded_bucket);

private:
    BucketLock(os::FileLock lock, Activity activity)
        : lock_(std::move(lock)), activity_(std::move(activity)) {}
    /// Does what shared and exclusive say, according to `mode`. The wait at the gate and the wait
    /// for the lock together last at most as long as the limit of the call, and are one wait in the
    /// journal. The gate is let go when this returns: the lock itself keeps others out then.
    [[nodiscard]] static Result<BucketLock> acquire(Root& root, const std::string& encoded_bucket,
                                                    os::Mode mode, const CallContext& context);

    os::FileLock lock_;
    Activity activity_;  // shows other processes which process holds the lock
};

/// The collector's lock, held from try_lock to the destructor. It is tried and never waited for.
class CollectorLock {
public:
    /// Takes the lock if it is free. Errors: `busy`, with the holder's name if it has announced
    /// itself; `read_only`.
    [[nodiscard]] static Result<CollectorLock> try_lock(Root& root);

    /// From now on shows other processes which process holds the lock. Does nothing if
    /// `participant` is null; otherwise that must outlive the lock. It is not a part of try_lock,
    /// because a collection first reaps the dead participants and only then joins: a process that
    /// joins may adopt the lease table of a dead one, which the report would then lack.
    void announce(Participant* participant);

private:
    explicit CollectorLock(os::FileLock lock) : lock_(std::move(lock)) {}
    os::FileLock lock_;
    std::optional<Activity> activity_;  // nullopt until announce
};

}  // namespace larder::cache
