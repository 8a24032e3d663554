// SPDX-License-Identifier: MIT
// The locks and the order in which they are taken. A process that
// holds a lock takes only locks of a higher number.
//
//   1  collector    Tried and never waited for, by collect, verify and restore. One at a time.
//   2  build        One byte for each key, exclusive, by get_or_build. One builds a key at a time.
//   3  gate.B       Exclusive, while its holder waits for 4: by remove, evict, repair, and
//                   publish without exchange. It keeps sharers of 4 from starving its holder.
//   4  bucket.B     Shared by publish and pin; exclusive by those of 3. The link that a process
//                   has checked is then the one that it retires.
//   -  participant  Held for life by every process. It proves that the process lives and owns its
//                   staging area.
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
    /// Waits for the lock. Sharers would starve a process that wants it alone, so a sharer first
    /// waits until no process stands at the gate. Writes the wait down in the journal.
    /// Errors: `busy`, with the holders' names; `interrupted`.
    [[nodiscard]] static Result<BucketLock> shared(Root& root, const std::string& encoded_bucket,
                                                   const CallContext& context);
    [[nodiscard]] static Result<BucketLock> exclusive(Root& root, const std::string& encoded_bucket,
                                                      const CallContext& context);
    /// Takes the lock if it is free. Returns nullopt if another process or thread holds it.
    [[nodiscard]] static Result<std::optional<BucketLock>> try_exclusive(
        Root& root, const std::string& encoded_bucket);

private:
    BucketLock(os::FileLock lock, Activity activity)
        : lock_(std::move(lock)), activity_(std::move(activity)) {}
    [[nodiscard]] static Result<BucketLock> wait(Root& root, const std::string& encoded_bucket,
                                                 os::Mode mode, const CallContext& context);

    os::FileLock lock_;
    Activity activity_;
};

/// The collector's lock. It is tried and never waited for.
class CollectorLock {
public:
    /// Errors: `busy`, with the holder's name; `read_only`.
    [[nodiscard]] static Result<CollectorLock> try_lock(Root& root);

    /// Lets others name the holder from now on.
    void announce(Participant* participant);

private:
    explicit CollectorLock(os::FileLock lock) : lock_(std::move(lock)) {}
    os::FileLock lock_;
    std::optional<Activity> activity_;
};

}  // namespace larder::cache
