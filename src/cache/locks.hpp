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
// Nothing is staged, copied, hashed, synced or deleted while a bucket's lock is held. Get, refresh and collect take none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/wait.hpp"
#include "cache/call_context.hpp"
#include "cache/root.hpp"
#include "os/file_lock.hpp"

namespace larder::cache {

/// Locks by a number that is the same in every process: what the activities in the participants' tables speak of.
using LockNumbers = std::vector<std::uint64_t>;

/// "pid 4711 (uv pip install), for 3 s": who holds one of these locks by their tables; "a process that can't be named" if none says so.
[[nodiscard]] std::string describe_holders(const Root& root, const LockNumbers& locks);

/// The waits by which something is had: an observer hears of them when this goes, after the lock that was waited for, so that he holds nobody up. He
/// hears nothing where all was had at once.
class ObservedWait {
public:
    ObservedWait() = default;
    ObservedWait(const CallContext& context, std::string what)
        : observer_(context.observer), what_(std::move(what)) {}
    ObservedWait(ObservedWait&& other) noexcept
        : observer_(std::exchange(other.observer_, nullptr)),
          what_(std::move(other.what_)),
          holders_(std::move(other.holders_)),
          took_(other.took_),
          given_up_(other.given_up_) {}
    ObservedWait& operator=(ObservedWait&&) = delete;
    ~ObservedWait();

    /// base::wait_until, for one of the locks `blamed`. Once that has lasted a second (arbitrary, because a person begins to wonder then), it tells
    /// the caller for whom.
    template <class Attempt, class WhileWaiting>
    [[nodiscard]] Result<base::Waited> wait(const Root& root, const CallContext& context,
                                            std::chrono::milliseconds limit,
                                            std::chrono::microseconds longest_pause,
                                            const LockNumbers& blamed, Attempt attempt,
                                            WhileWaiting while_waiting) {
        const auto begun = std::chrono::steady_clock::now();
        bool at_once = true, told = false;
        const auto go_on = [&](std::chrono::steady_clock::duration waited) {
            at_once = false;
            if (!told && waited >= std::chrono::seconds(1)) {
                told = true;
                tell(root, context, blamed, waited);
            }
            return while_waiting(waited);
        };
        TRY_ASSIGN(const base::Waited waited,
                   base::wait_until({limit, longest_pause, context.stop}, attempt, go_on));
        given_up_ = waited != base::Waited::had;
        if (given_up_ && observer_ != nullptr) holders_ = describe_holders(root, blamed);
        if (!at_once || given_up_) took_ += std::chrono::steady_clock::now() - begun;
        return waited;
    }

    [[nodiscard]] const std::string& what() const noexcept { return what_; }
    [[nodiscard]] std::chrono::steady_clock::duration took() const noexcept { return took_; }

private:
    void tell(const Root& root, const CallContext& context, const LockNumbers& blamed,
              std::chrono::steady_clock::duration waited);

    observe::Observer* observer_ = nullptr;
    std::string what_;
    std::string holders_;  ///< where they were told
    std::chrono::steady_clock::duration took_{};
    bool given_up_ = false;
};

/// A bucket's lock, held from here to the destructor.
class BucketLock {
public:
    /// Readers' locks starve writers, so whoever wants to share first waits until nobody is at the gate. Errors: `busy`, with the holders' names; `interrupted`.
    [[nodiscard]] static Result<BucketLock> shared(Root& root, const std::string& encoded_bucket,
                                                   const CallContext& context);
    [[nodiscard]] static Result<BucketLock> exclusive(Root& root, const std::string& encoded_bucket,
                                                      const CallContext& context);
    /// Nothing where it is taken.
    [[nodiscard]] static Result<std::optional<BucketLock>> try_exclusive(
        Root& root, const std::string& encoded_bucket);

private:
    BucketLock(os::FileLock lock, Activity activity, ObservedWait waited)
        : waited_(std::move(waited)), lock_(std::move(lock)), activity_(std::move(activity)) {}
    [[nodiscard]] static Result<BucketLock> wait(Root& root, const std::string& encoded_bucket,
                                                 os::Mode mode, const CallContext& context);

    ObservedWait waited_;  // goes last
    os::FileLock lock_;
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
    explicit CollectorLock(os::FileLock lock) : lock_(std::move(lock)) {}
    os::FileLock lock_;
    std::optional<Activity> activity_;
};

}  // namespace larder::cache
