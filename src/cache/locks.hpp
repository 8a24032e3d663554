// SPDX-License-Identifier: MIT
// The locks, and the order in which they are taken.
//
//   order  lock        what it is                          taken by                                  guards
//   1      collector   tried, never waited for             collect, verify, restore                  one at a time
//   2      build       one byte for each key, exclusive    get_or_build                              one builder for a key
//   3      gate.B      exclusive, while waiting for 4      remove, evict, repair,                    them against starvation by 4 shared
//                                                          publish without exchange
//   4      bucket.B    shared: publish, pin                exclusive: as 3                           that a link which was checked
//                                                                                                    is the one that is retired
//   –      participant held for life                       every process                             liveness; the staging area
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
    /// Waits for the lock. Sharers would starve a process that wants it alone, so a sharer first waits
    /// until no process stands at the gate. Writes the wait down in the journal.
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

/// The collector's lock: tried, and never waited for.
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
