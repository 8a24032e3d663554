// SPDX-License-Identifier: MIT
#include "protocol/get_or_build.hpp"

#include <algorithm>

#include "cache/lock_wait.hpp"
#include "os/points.hpp"
#include "protocol/claim.hpp"

namespace larder::protocol {

namespace {

/// A build takes from milliseconds to minutes. A look every 10 ms costs nothing, and no user
/// notices the delay.
constexpr std::chrono::microseconds longest_pause{10'000};
/// How long a wait lasts before it looks for a circle. A short wait ends by itself, so it need not
/// look.
constexpr std::chrono::milliseconds before_circle_check{100};

/// How long a thread waits for a build if it has no activity, because no lease table with a free
/// one could be had. Arbitrary: a person waits as long without wondering.
constexpr std::chrono::milliseconds longest_unseen_wait{10'000};

/// Looks from time to time, during a wait for a build, whether builds wait for each other in a
/// circle: a deadlock, in which each thread holds a build that the next one waits for. While it
/// lives, other processes see for which builds this thread works, so that they can see the circle,
/// too.
class CircleWatch {
public:
    CircleWatch(const BuildRef& wanted, const cache::CallContext& context)
        : wanted_(wanted), context_(context) {}

    /// Looks if it is time, after a wait of this length. Returns false if there is a circle.
    bool look_after(std::chrono::steady_clock::duration waited) {
        if (waited < next_look_) return true;
        next_look_ *= 2;  // each look reads all tables
        if (!outer_) outer_.emplace(context_);
        circle_ = circle_of(wanted_);
        return !circle_;
    }

    /// Returns the circle, for people; nullopt if none was found.
    [[nodiscard]] const std::optional<std::string>& circle() const noexcept { return circle_; }

private:
    const BuildRef wanted_;
    const cache::CallContext& context_;
    std::chrono::milliseconds next_look_ = before_circle_check;
    std::optional<ShownOuterBuilds> outer_;  // nullopt until the first look: it opens caches
    std::optional<std::string> circle_;
};

/// Returns how long a wait for the lock may last. If other processes cannot see this thread, they
/// cannot see a circle of which it is part. So it must not wait for long.
std::chrono::milliseconds time_limit(const BuildLock& lock, const cache::CallContext& context) {
    return lock.since_nanos() != 0 ? context.build_timeout
                                   : std::min(context.build_timeout, longest_unseen_wait);
}

/// Waits for the lock, and writes the wait down in the journal. Afterwards the caller builds: with
/// the lock, or without it if the wait took too long, or if builds wait for each other in a circle.
/// Publishing is safe without the lock; only work is done twice. Errors: `interrupted`.
Result<> wait(BuildLock& lock, const BuildRef& build, const cache::CallContext& context) {
    CircleWatch watch(build, context);
    const auto go_on = [&](std::chrono::steady_clock::duration waited) {
        (void)os::point("build.waiting");
        return watch.look_after(waited);
    };
    const cache::LockNumbers blamed{build.lock};
    const cache::AwaitedLock awaited{.what = lock.what(),
                                     .blamed = blamed,
                                     .limit = time_limit(lock, context),
                                     .longest_pause = longest_pause};
    TRY_ASSIGN(cache::LockWait wait,
               cache::wait_for_lock(
                   build.root, context, awaited, [&] { return lock.try_take(); }, go_on));
    if (watch.circle()) wait.holders = *watch.circle();
    if (!wait.acquired()) lock.give_up();
    Result<> ended;
    if (wait.end == base::Waited::End::interrupted)
        ended = fail(Errc::interrupted, "wait for build", {},
                     "stopped on request; built by " + wait.holders);
    cache::note_wait(context, lock.what(), std::move(wait));
    return ended;
}

}  // namespace

Result<SlotLease> get_or_build(const RootRef& root, const KeyRef& place, const Fill& fill,
                               const PublishOptions& options, const cache::CallContext& context) {
    // As in claim.
    TRY(root->participant(context));
    const BuildRef build = build_of(*root, place);
    const OwnPart own = own_part_of(build);
    if (own == OwnPart::key) return wants_own_key(*root, place);
    BuildLock lock(root, place, context);
    if (own == OwnPart::byte) {
        lock.share_own();
    } else {
        TRY(wait(lock, build, context));
    }
    TRY_ASSIGN(Claim claim, take_up(std::move(lock), root, place, context));
    if (auto* const found = std::get_if<SlotLease>(&claim)) return std::move(*found);

    auto& claimed = std::get<ClaimedStage>(claim);
    const BuildInProgress in_progress(build, claimed.lock.since_nanos(), claimed.lock.is_held());
    Stage& stage = claimed.stage;
    if (auto filled = fill(stage); !filled)
        return tl::make_unexpected(stage.give_back(std::move(filled).error()));
    (void)os::point("build.filled");
    auto published = publish(stage, place, options, patient_as_a_build(context));
    if (!published) return tl::make_unexpected(stage.give_back(std::move(published).error()));
    return published;
}

}  // namespace larder::protocol
