// SPDX-License-Identifier: MIT
#include "protocol/get_or_build.hpp"

#include <algorithm>
#include <compare>
#include <set>
#include <vector>

#include "format/layout.hpp"
#include "format/name.hpp"
#include "os/points.hpp"
#include "protocol/get.hpp"

namespace larder::protocol {

namespace {

using os::FileLock;
using os::Mode;
using os::Range;

/// A build takes from milliseconds to minutes. A look every 10 ms costs nothing, and no user
/// notices the delay.
constexpr std::chrono::microseconds longest_pause{10'000};
/// How long a wait lasts before it looks for a circle. A short wait ends by itself, so it need not
/// look.
constexpr std::chrono::milliseconds before_circle_check{100};

/// How long a thread waits for a build if it has no activity, because its lease table has no free
/// one. Arbitrary: a person waits as long without wondering.
constexpr std::chrono::milliseconds longest_unseen_wait{10'000};

/// One activity of a thread: it holds a build or waits for one. `since` makes it unique. So if two
/// readings find the same one, it is the same wait, and not a later wait of the same thread.
struct Involved {
    std::uint32_t participant;
    std::int64_t thread;
    std::uint64_t lock;
    bool waiting;
    std::uint64_t since;
    bool ours;
    friend auto operator<=>(const Involved&, const Involved&) = default;
};

std::set<Involved> read_involved(const cache::Root& root) {
    std::set<Involved> involved;
    const auto participants = cache::read_participants(root.dirs().participants);
    if (!participants) return involved;
    const auto me = os::this_process();
    for (const auto& participant : *participants) {
        if (!participant.alive) continue;
        const bool our_process = participant.here && participant.table.process.pid == me.pid;
        for (const auto& activity : participant.table.activities) {
            involved.insert({participant.number, activity.thread, activity.lock, activity.waiting,
                             activity.since_nanos,
                             our_process && activity.thread == os::this_thread()});
        }
    }
    return involved;
}

/// Returns the chain of holds and waits from the builder of `wanted` to a build that this thread
/// holds. Returns an empty chain if there is none. The chain consists of threads and not of
/// processes: two processes that build several things often wait for each other, without a circle
/// of threads.
std::set<Involved> find_circle(const std::set<Involved>& involved, std::uint64_t wanted) {
    std::set<Involved> chain;
    std::set<std::uint64_t> seen;
    std::vector<std::uint64_t> to_follow{wanted};
    while (!to_follow.empty()) {
        const std::uint64_t lock = to_follow.back();
        to_follow.pop_back();
        if (!seen.insert(lock).second) continue;
        for (const auto& holder : involved) {
            if (holder.waiting || holder.lock != lock) continue;
            chain.insert(holder);
            if (holder.ours) return chain;
            for (const auto& wait : involved) {
                if (!wait.waiting || wait.participant != holder.participant ||
                    wait.thread != holder.thread)
                    continue;
                chain.insert(wait);
                to_follow.push_back(wait.lock);
            }
        }
    }
    return {};
}

/// The tables are read one after the other, so one reading may show a circle that never existed. If
/// two readings agree on a chain, all of it existed at one time between them.
bool waits_in_circle(const cache::Root& root, std::uint64_t wanted) {
    const auto chain = find_circle(read_involved(root), wanted);
    if (chain.empty()) return false;
    (void)os::point("build.circle-seen");
    const auto again = read_involved(root);
    return std::includes(again.begin(), again.end(), chain.begin(), chain.end());
}

/// A build that this thread is running. They are a list on the stack and not a vector: glibc aborts
/// if it has no memory to register the destructor of a thread's variable.
class Building {
public:
    Building(const cache::Root& root, std::uint64_t number)
        : root_(root), number_(number), around_(std::exchange(innermost, this)) {}
    ~Building() { innermost = around_; }
    Building(const Building&) = delete;
    Building& operator=(const Building&) = delete;

    /// Returns true if this thread is running that build now.
    static bool runs(const cache::Root& root, std::uint64_t number) {
        for (const Building* each = innermost; each != nullptr; each = each->around_) {
            if (&each->root_ == &root && each->number_ == number) return true;
        }
        return false;
    }

private:
    static thread_local const Building* innermost;

    const cache::Root& root_;
    const std::uint64_t number_;
    const Building* const around_;
};

thread_local const Building* Building::innermost = nullptr;

/// The lock of one build. Other processes can see that this thread waits for it or holds it.
class BuildLock {
public:
    BuildLock(cache::Root& root, const KeyRef& place, std::uint64_t number,
              const cache::CallContext& context)
        : root_(root),
          number_(number),
          what_("build " + std::string(place.encoded_key())),
          context_(context),
          activity_(std::in_place, root.participant_if_possible(context), number, what_, true) {}

    /// Waits for the lock, and writes the wait down in the journal. After a success the caller
    /// builds. It builds without the lock if the wait took too long, or if builds wait for each
    /// other in a circle. Publishing is safe without the lock; only work is done twice. Errors:
    /// `interrupted`.
    Result<> wait() {
        const auto attempt = [&]() -> Result<bool> {
            TRY_ASSIGN(held_, FileLock::try_lock(root_.dirs().locks, format::builds_lock_name,
                                                 Mode::exclusive, Range::byte(number_)));
            return held_.has_value();
        };
        auto next_check = before_circle_check;
        const auto go_on = [&](std::chrono::steady_clock::duration waited) {
            (void)os::point("build.waiting");
            if (waited < next_check) return true;
            next_check *= 2;
            return !waits_in_circle(root_, number_);
        };
        // If other processes cannot see this thread, they cannot see a circle of which it is part.
        // So it must not wait for long.
        const auto limit = activity_->is_visible()
                               ? context_.build_timeout
                               : std::min(context_.build_timeout, longest_unseen_wait);
        TRY_ASSIGN(cache::LockWait wait,
                   cache::wait_for_lock(root_, context_, {what_, {number_}, limit, longest_pause},
                                        attempt, go_on));
        if (wait.acquired()) {
            activity_->set_holding();
        } else {
            activity_.reset();  // neither waiting nor holding
        }
        Result<> ended;
        if (wait.end == base::Waited::End::interrupted)
            ended = fail(Errc::interrupted, "wait for build", {},
                         "stopped on request; built by " + wait.holders);
        cache::note_wait(context_, std::move(what_), std::move(wait));
        return ended;
    }

private:
    cache::Root& root_;
    std::uint64_t number_;
    std::string what_;
    const cache::CallContext& context_;
    std::optional<FileLock> held_;
    std::optional<cache::Activity> activity_;
};

}  // namespace

Result<SlotLease> get_or_build(const RootRef& root, const KeyRef& place, const Fill& fill,
                               const PublishOptions& options, const cache::CallContext& context) {
    // A build ends with a publish, which needs a participant. If this process cannot join, it
    // should fail now, and not after a wait.
    TRY(root->participant(context));
    const std::uint64_t number = Range::byte(format::digest(place.encoded_bucket, place.key)).start;
    if (Building::runs(*root, number)) {
        return fail(Errc::invalid, "build", root->dirs().buckets / place.path,
                    "this build requests its own key");
    }
    BuildLock lock(*root, place, number, context);
    TRY(lock.wait());
    (void)os::point("build.locked");

    // The process that built meanwhile has published.
    auto found = get(root, place, context);
    if (found || found.error().code != Errc::miss) return found;

    const Building in_progress(*root, number);
    TRY_ASSIGN(Stage stage, Stage::make(root, context));
    TRY(fill(stage));
    (void)os::point("build.filled");
    // What may have taken half an hour must not be lost because a process that holds the bucket's
    // lock was stopped. So this publish is as patient as a wait for a build.
    cache::CallContext patient = context;
    patient.lock_timeout = std::max(context.lock_timeout, context.build_timeout);
    return publish(std::move(stage), place, options, patient);
}

}  // namespace larder::protocol
