#include <steps/build_once.hpp>

#include <algorithm>
#include <layout/layout.hpp>
#include <layout/name.hpp>
#include <map>
#include <os/points.hpp>
#include <set>
#include <vector>

namespace larder::steps {

namespace {

using lock::FileLock;
using lock::Mode;
using lock::Range;
using lock::Waited;

/// Builds take from milliseconds to minutes: ten looks in 100 ms cost nothing, and nobody notices such a delay.
constexpr std::chrono::microseconds longest_pause{10'000};
/// How long to wait before looking for a circle: long enough that a wait that ends by itself is never looked into.
constexpr std::chrono::milliseconds before_circle_check{100};

/// A thread of a process, and the build that it waits for or holds.
struct Node {
    std::uint32_t participant;
    std::int64_t thread;
    bool operator<(const Node& other) const {
        return participant != other.participant ? participant < other.participant : thread < other.thread;
    }
};

/// Whether the builder of `wanted` waits, through whatever chain, for a build that this thread holds. By thread and not by
/// process: two processes that build several things each wait for each other all the time, and no circle is in it.
bool waits_in_circle(const root::Root& root, std::uint64_t wanted) {
    const auto participants = root::read_participants(root.dirs().participants);
    if (!participants) return false;
    std::multimap<std::uint64_t, Node> holders;
    std::multimap<Node, std::uint64_t> waits;
    std::set<std::uint64_t> ours;
    const auto me = os::this_process();
    for (const auto& participant : *participants) {
        if (!participant.alive) continue;
        for (const auto& activity : participant.table.activities) {
            const Node node{participant.number, activity.thread};
            if (activity.waiting) {
                waits.emplace(node, activity.lock);
                continue;
            }
            holders.emplace(activity.lock, node);
            const bool mine = participant.here && participant.table.process.pid == me.pid && activity.thread == os::this_thread();
            if (mine) ours.insert(activity.lock);
        }
    }
    std::set<std::uint64_t> seen;
    std::vector<std::uint64_t> to_follow{wanted};
    while (!to_follow.empty()) {
        const std::uint64_t lock = to_follow.back();
        to_follow.pop_back();
        if (ours.contains(lock)) return true;
        if (!seen.insert(lock).second) continue;
        for (auto [holder, last] = holders.equal_range(lock); holder != last; ++holder) {
            for (auto [wait, end] = waits.equal_range(holder->second); wait != end; ++wait) to_follow.push_back(wait->second);
        }
    }
    return false;
}

/// The builds that this thread is in the middle of, innermost last.
thread_local std::vector<std::uint64_t> building;

class Building {
public:
    explicit Building(std::uint64_t number) { building.push_back(number); }
    ~Building() { building.pop_back(); }
    Building(const Building&) = delete;
    Building& operator=(const Building&) = delete;
};

/// The lock of one build; nothing where we are to build without it. While it waits and holds, others can see it.
class BuildLock {
public:
    BuildLock(root::Root& root, const Place& place, std::uint64_t number)
        : root_(root),
          number_(number),
          activity_(root.participant_if_possible(), number, "build " + place.encoded_key, true) {}

    /// Errors: `interrupted`.
    Result<> wait(const root::WaitLimits& limits) {
        const auto attempt = [&]() -> Result<bool> {
            TRY_ASSIGN(held_, FileLock::try_lock(root_.dirs().locks, layout::builds_lock_name, Mode::exclusive, Range::byte(number_)));
            return held_.has_value();
        };
        auto next_check = before_circle_check;
        root::WaitNotice notice(root_, limits, number_);
        const auto go_on = [&](std::chrono::steady_clock::duration waited) {
            notice.after(waited);
            if (waited < next_check) return true;
            next_check *= 2;
            return !waits_in_circle(root_, number_);
        };
        const lock::Patience patience{limits.build_timeout, longest_pause, limits.stop};
        TRY_ASSIGN(const Waited waited, lock::wait_until(patience, attempt, go_on));
        if (waited == Waited::interrupted) {
            return os::fail(Errc::interrupted, "wait for build", {}, "asked to stop while waiting for " + root::describe_holders(root_, number_));
        }
        // Too long, or in a circle: we build without the lock. Publishing is safe without it; only work is done twice.
        if (waited == Waited::had) activity_.set_holding();
        return {};
    }

private:
    root::Root& root_;
    std::uint64_t number_;
    std::optional<FileLock> held_;
    root::Activity activity_;
};

}  // namespace

Result<HeldLease> get_or_build(const RootRef& root, const Place& place, const Fill& fill, const PublishOptions& options,
                               const root::WaitLimits& limits) {
    auto found = get(root, place);
    if (found || found.error().code != Errc::miss) return found;

    TRY(root->participant());  // a build ends in a publish: where that is impossible, nobody should have to wait first
    const std::uint64_t number = Range::byte(layout::digest(place.encoded_bucket, place.key)).start;
    if (std::find(building.begin(), building.end(), number) != building.end()) {
        return os::fail(Errc::invalid, "build", root->dirs().buckets / place.path(), "its own build asks for it");
    }
    BuildLock lock(*root, place, number);
    TRY(lock.wait(limits));
    (void)os::point("build.locked");

    // Whoever built while we waited has published.
    found = get(root, place);
    if (found || found.error().code != Errc::miss) return found;

    const Building in_progress(number);
    TRY_ASSIGN(Stage stage, Stage::make(root));
    TRY(fill(stage));
    (void)os::point("build.filled");
    return publish(std::move(stage), place, options, limits);
}

}  // namespace larder::steps
