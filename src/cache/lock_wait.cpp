// SPDX-License-Identifier: MIT
#include "cache/lock_wait.hpp"

#include <algorithm>

#include "base/saturate.hpp"
#include "os/clock.hpp"

namespace larder::cache {

namespace {

/// Appends the holds of a participant on these locks, each as "pid 4711 (uv pip install), for 3 s".
void append_holds(const ParticipantView& participant, const LockNumbers& locks, WallTime now,
                  std::string& text) {
    for (const auto& activity : participant.table.activities) {
        const bool is_hold = activity.kind == format::ActivityView::Kind::holds &&
                             std::find(locks.begin(), locks.end(), activity.lock) != locks.end();
        if (!is_hold) continue;
        const auto since = std::chrono::duration_cast<WallTime::duration>(
            std::chrono::nanoseconds(activity.since_nanos));
        const auto held = std::chrono::floor<std::chrono::seconds>(base::age(WallTime(since), now));
        if (!text.empty()) text += ", ";
        text += describe(participant.table) + ", for " + std::to_string(held.count()) + " s";
    }
}

}  // namespace

std::string describe_holders(const Root& root, const LockNumbers& locks) {
    std::string text;
    if (const auto participants = read_participants(root.dirs().participants)) {
        const WallTime now = os::wall_time();
        for (const auto& participant : participants->views) {
            // The kernel has taken the locks of a dead process away.
            if (participant.counts()) append_holds(participant, locks, now, text);
        }
    }
    return text.empty() ? "a process that can't be named" : text;
}

WaitQuestion::WaitQuestion(const Root& root, const CallContext& context, const AwaitedLock& lock)
    : in_cache_(context.keep_waiting) {
    if (context.on_wait == nullptr) return;
    own_ = [&root, &context, &lock, begun = std::chrono::steady_clock::now()] {
        if (context.keep_waiting != nullptr && !(*context.keep_waiting)()) return false;
        const std::string holders = describe_holders(root, lock.blamed);
        return (*context.on_wait)({lock.what, holders, std::chrono::steady_clock::now() - begun});
    };
}

std::string announce_wait(const Root& root, const CallContext& context, const AwaitedLock& lock,
                          std::chrono::steady_clock::duration waited) {
    if (context.journal == nullptr) return {};
    std::string holders = describe_holders(root, lock.blamed);
    context.journal->announce({.kind = Event::Kind::waiting,
                               .at = os::wall_time(),
                               .what = lock.what,
                               .who = holders,
                               .took = waited});
    return holders;
}

void note_wait(const CallContext& context, std::string what, LockWait wait) noexcept {
    if (context.journal == nullptr || (wait.acquired() && wait.took.count() == 0)) return;
    context.journal->note({.kind = wait.acquired() ? Event::Kind::waited : Event::Kind::gave_up,
                           .what = std::move(what),
                           .who = std::move(wait.holders),
                           .took = wait.took});
}

}  // namespace larder::cache
