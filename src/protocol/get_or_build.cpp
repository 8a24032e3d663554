// SPDX-License-Identifier: MIT
#include "protocol/get_or_build.hpp"

#include <algorithm>

#include "format/layout.hpp"
#include "format/name.hpp"
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

/// The lock of one build. Other processes can see that this thread waits for it or holds it.
class BuildLock {
public:
    BuildLock(cache::Root& root, const KeyRef& place, std::uint64_t number,
              const cache::CallContext& context)
        : root_(root),
          number_(number),
          what_("build " + std::string(place.encoded_key())),
          context_(context),
          activity_(std::in_place, root.participant_if_possible(context), number, what_,
                    cache::Activity::Shows::waiting) {}

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
        // Each look for a circle reads all tables, so the time between two looks doubles.
        auto next_check = before_circle_check;
        std::optional<ShownOuterBuilds> outer;
        std::optional<std::string> circle;
        const auto go_on = [&](std::chrono::steady_clock::duration waited) {
            (void)os::point("build.waiting");
            if (waited < next_check) return true;
            next_check *= 2;
            if (!outer) outer.emplace(context_);
            circle = circle_of({root_, number_});
            return !circle;
        };
        // If other processes cannot see this thread, they cannot see a circle of which it is part.
        // So it must not wait for long.
        auto limit = context_.build_timeout;
        if (!activity_->is_visible()) limit = std::min(limit, longest_unseen_wait);
        const cache::LockNumbers blamed{number_};
        const cache::AwaitedLock lock{
            .what = what_, .blamed = blamed, .limit = limit, .longest_pause = longest_pause};
        TRY_ASSIGN(cache::LockWait wait,
                   cache::wait_for_lock(root_, context_, lock, attempt, go_on));
        if (circle) wait.holders = *std::move(circle);
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

    /// Returns when the activity that shows it began, in nanoseconds since 1970; 0 if other
    /// processes cannot see it.
    [[nodiscard]] std::uint64_t since_nanos() const noexcept {
        return activity_ ? activity_->since_nanos() : 0;
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
    if (would_wait_for_itself({*root, number})) {
        return fail(Errc::invalid, "build", root->dirs().buckets / place.path,
                    "this build requests its own key; build what it needs under another key");
    }
    BuildLock lock(*root, place, number, context);
    TRY(lock.wait());
    (void)os::point("build.locked");

    // The process that built meanwhile has published.
    auto found = get(root, place, context);
    if (found || found.error().code != Errc::miss) return found;

    const BuildInProgress in_progress({*root, number}, lock.since_nanos());
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
