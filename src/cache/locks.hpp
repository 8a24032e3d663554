// SPDX-License-Identifier: MIT
// The locks, and the order in which a process takes them. A process that holds a lock takes only
// locks of a higher number. docs/protocol.md has the same table.
//
//   1  collector    Exclusive; tried, and never waited for. Taken by collect, verify and restore,
//                   so that only one of them runs at a time.
//   2  build        Exclusive; one byte of locks/builds for each key. Taken by get_or_build, so
//                   that only one process builds a key at a time.
//   3  gate         Exclusive; one byte of locks/gates for each bucket. Held while a process waits
//                   for 4 exclusively. Without it, processes that share 4 could keep that process
//                   waiting forever.
//   4  bucket       One byte of locks/buckets for each bucket. Shared by publish and pin. Exclusive
//                   for remove, refresh by age, evict, repair, and publish without exchange. So the
//                   link that a process has checked is the link that it retires.
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

/// A bucket's lock, held from here to the destructor.
class BucketLock {
public:
    /// Waits for the lock, shared. First waits until no process holds the gate: otherwise sharers
    /// could keep the lock from a process that wants it exclusively. Writes the wait down in the
    /// journal. Requires: this thread holds no lock of a bucket. Errors: `busy`, with the holders'
    /// names; `interrupted`.
    [[nodiscard]] static Result<BucketLock> shared(Root& root, const std::string& encoded_bucket,
                                                   const CallContext& context);
    /// Takes the gate, waits for the lock, exclusively, and lets the gate go. The rest is as above.
    [[nodiscard]] static Result<BucketLock> exclusive(Root& root, const std::string& encoded_bucket,
                                                      const CallContext& context);
    /// Takes the lock if it is free, without the gate: it waits for nothing, so it needs no place
    /// in a queue. Returns nullopt if another process or thread holds it.
    [[nodiscard]] static Result<std::optional<BucketLock>> try_exclusive(
        Root& root, const std::string& encoded_bucket);

private:
    BucketLock(os::FileLock lock, Activity activity)
        : lock_(std::move(lock)), activity_(std::move(activity)) {}
    /// Waits at the gate and then for the lock: see shared and exclusive. Both waits together last
    /// at most as long as the limit of the call, and are one wait in the journal. The gate is let
    /// go when this returns: the lock itself keeps others out then.
    [[nodiscard]] static Result<BucketLock> wait(Root& root, const std::string& encoded_bucket,
                                                 os::Mode mode, const CallContext& context);

    os::FileLock lock_;
    Activity activity_;
};

/// The collector's lock. It is tried and never waited for.
class CollectorLock {
public:
    /// Takes the lock if it is free. Errors: `busy`, with the holder's name; `read_only`.
    [[nodiscard]] static Result<CollectorLock> try_lock(Root& root);

    /// From now on shows other processes which process holds the lock. Does nothing if
    /// `participant` is null. It is not a part of try_lock, because a collection must reap before
    /// it joins.
    void announce(Participant* participant);

private:
    explicit CollectorLock(os::FileLock lock) : lock_(std::move(lock)) {}
    os::FileLock lock_;
    std::optional<Activity> activity_;
};

}  // namespace larder::cache
