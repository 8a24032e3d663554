// SPDX-License-Identifier: MIT
#include "protocol/get_or_build.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "format/lock_bytes.hpp"
#include "os/points.hpp"
#include "protocol/get.hpp"
#include "protocol/nested_builds.hpp"

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

/// The lock of one build. Other processes can see that this thread waits for it or holds it.
class BuildLock {
public:
    BuildLock(const BuildRef& build, const KeyRef& place, const cache::CallContext& context)
        : build_(build),
          what_("build " + std::string(place.encoded_key())),
          context_(context),
          activity_(std::in_place, build.root.participant_if_possible(context), build.lock, what_,
                    cache::Activity::Shows::waiting) {}

    /// Takes the byte that this thread holds already, for the build of another key around this
    /// one. The lock of that build keeps others from this key, too.
    void share_own_byte() noexcept {
        activity_->set_holding();
        has_lock_ = true;
    }

    /// Waits for the lock, and writes the wait down in the journal. After a success the caller
    /// builds. It builds without the lock if the wait took too long, or if builds wait for each
    /// other in a circle. Publishing is safe without the lock; only work is done twice. Errors:
    /// `interrupted`.
    Result<> wait() {
        CircleWatch watch(build_, context_);
        TRY_ASSIGN(held_, cache::open_locks(build_.root));
        const auto attempt = [&] {
            return held_->try_lock(Mode::exclusive, Range::byte(build_.lock));
        };
        const auto go_on = [&](std::chrono::steady_clock::duration waited) {
            (void)os::point("build.waiting");
            return watch.look_after(waited);
        };
        const cache::LockNumbers blamed{build_.lock};
        const cache::AwaitedLock lock{
            .what = what_, .blamed = blamed, .limit = time_limit(), .longest_pause = longest_pause};
        TRY_ASSIGN(cache::LockWait wait,
                   cache::wait_for_lock(build_.root, context_, lock, attempt, go_on));
        if (watch.circle()) wait.holders = *watch.circle();
        has_lock_ = wait.acquired();
        if (has_lock_) {
            activity_->set_holding();
        } else {
            activity_.reset();  // neither waiting nor holding
            held_.reset();
        }
        Result<> ended;
        if (wait.end == base::Waited::End::interrupted)
            ended = fail(Errc::interrupted, "wait for build", {},
                         "stopped on request; built by " + wait.holders);
        cache::note_wait(context_, std::move(what_), std::move(wait));
        return ended;
    }

    /// Returns when the activity that shows it began, in nanoseconds since 1970; 0 if other
    /// processes cannot see it.
    [[nodiscard]] std::uint64_t since_nanos() const noexcept {
        return activity_ ? activity_->since_nanos() : 0;
    }
    /// Returns whether this thread holds the byte.
    [[nodiscard]] bool has_lock() const noexcept { return has_lock_; }

private:
    /// Returns how long the wait may last. If other processes cannot see this thread, they cannot
    /// see a circle of which it is part. So it must not wait for long.
    [[nodiscard]] std::chrono::milliseconds time_limit() const {
        return activity_->is_visible() ? context_.build_timeout
                                       : std::min(context_.build_timeout, longest_unseen_wait);
    }

    const BuildRef build_;
    std::string what_;  // for people: "build rich-13.9"; moved away by wait
    const cache::CallContext& context_;
    bool has_lock_ = false;
    std::optional<FileLock> held_;             // nullopt without the lock, and if it is shared
    std::optional<cache::Activity> activity_;  // nullopt after a wait that did not get the lock
};

}  // namespace

Result<SlotLease> get_or_build(const RootRef& root, const KeyRef& place, const Fill& fill,
                               const PublishOptions& options, const cache::CallContext& context) {
    // A build ends with a publish, which needs a participant. If this process cannot join the
    // cache, this call should fail now, and not after a wait.
    TRY(root->participant(context));
    const BuildRef build{*root, format::build_byte(place.encoded_bucket, place.encoded_key()),
                         place.path};
    const OwnPart own = own_part_of(build);
    if (own == OwnPart::key) {
        return fail(Errc::invalid, "build", root->dirs().buckets / place.path,
                    "this build requests its own key; build what it needs under another key");
    }
    BuildLock lock(build, place, context);
    if (own == OwnPart::byte) {
        lock.share_own_byte();
    } else {
        TRY(lock.wait());
    }
    (void)os::point("build.locked");

    // Look again: another process may have built and published during the wait.
    auto found = get(root, place, context);
    if (found || found.error().code != Errc::miss) return found;

    const BuildInProgress in_progress(build, lock.since_nanos(), lock.has_lock());
    TRY_ASSIGN(Stage stage, Stage::make(root, context));
    if (auto filled = fill(stage); !filled)
        return tl::make_unexpected(stage.give_back(std::move(filled).error()));
    (void)os::point("build.filled");
    // What may have taken half an hour must not be lost because a process that holds the bucket's
    // lock was stopped. So this publish is as patient as a wait for a build.
    cache::CallContext patient = context;
    patient.lock_timeout = std::max(context.lock_timeout, context.build_timeout);
    auto published = publish(stage, place, options, patient);
    if (!published) return tl::make_unexpected(stage.give_back(std::move(published).error()));
    return published;
}

}  // namespace larder::protocol
