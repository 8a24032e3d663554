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
// Nothing is staged, copied, hashed, synced or deleted while a bucket's lock is held. Get, refresh and collect take none.
#pragma once

#include <lock/file_lock.hpp>
#include <lock/wait.hpp>
#include <root/root.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace larder::root {

/// How long, and for whose word, this cache's callers wait.
struct WaitLimits {
    std::chrono::milliseconds lock_timeout;
    std::chrono::milliseconds build_timeout;
    std::stop_token stop;
    std::function<void(const std::string&)> on_wait;
};

/// Locks by a number that is the same in every process: what the activities in the participants' tables speak of.
using LockNumbers = std::vector<std::uint64_t>;

/// Tells the caller, once, that a wait has lasted a second (arbitrary, because a person begins to wonder then), and for whom.
class WaitNotice {
public:
    WaitNotice(const Root& root, const WaitLimits& limits, LockNumbers locks) : root_(root), limits_(limits), locks_(std::move(locks)) {}
    void after(std::chrono::steady_clock::duration waited);

private:
    const Root& root_;
    const WaitLimits& limits_;
    LockNumbers locks_;
    bool told_ = false;
};

/// A bucket's lock, held from here to the destructor.
class BucketLock {
public:
    /// Readers' locks starve writers, so whoever wants to share first waits until nobody is at the gate. Errors: `busy`, with the holders' names; `interrupted`.
    [[nodiscard]] static Result<BucketLock> shared(Root& root, const std::string& encoded_bucket, const WaitLimits& limits);
    [[nodiscard]] static Result<BucketLock> exclusive(Root& root, const std::string& encoded_bucket, const WaitLimits& limits);
    /// Nothing where it is taken.
    [[nodiscard]] static Result<std::optional<BucketLock>> try_exclusive(Root& root, const std::string& encoded_bucket);

private:
    BucketLock(lock::FileLock lock, Activity activity) : lock_(std::move(lock)), activity_(std::move(activity)) {}
    [[nodiscard]] static Result<BucketLock> wait(Root& root, const std::string& encoded_bucket, lock::Mode mode, const WaitLimits& limits);

    lock::FileLock lock_;
    Activity activity_;
};

/// The collector's lock: tried, and never waited for.
class CollectorLock {
public:
    /// Errors: `busy`, with the holder's name; `read_only`.
    [[nodiscard]] static Result<CollectorLock> try_lock(Root& root);

    /// From now on others can name the holder.
    void announce(Participant* participant);

private:
    explicit CollectorLock(lock::FileLock lock) : lock_(std::move(lock)) {}
    lock::FileLock lock_;
    std::optional<Activity> activity_;
};

/// "pid 4711 (uv pip install), for 3 s": who holds one of these locks by their tables; "a process that can't be named" if none says so.
[[nodiscard]] std::string describe_holders(const Root& root, const LockNumbers& locks);

}  // namespace larder::root
