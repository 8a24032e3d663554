// SPDX-License-Identifier: MIT
#include "protocol/nested_builds.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "format/layout.hpp"
#include "os/before_main.hpp"
#include "os/points.hpp"
#include "os/process.hpp"

namespace larder::protocol {

namespace {

using format::ActivityView;
using format::OuterBuild;

/// Returns the path by which all processes name the cache, because it is canonical.
std::string path_of(const cache::Root& root) { return root.dirs().root.path.string(); }

/// The build that this thread began last; null if it builds nothing.
thread_local const BuildInProgress* innermost_build = nullptr;

/// The builds of other processes that this process works for. LARDER_INSIDE is read before main, so
/// that it does not matter what the program does to its environment.
const std::vector<OuterBuild>& builds_in_environment() {
    static const std::vector<OuterBuild> builds = format::parse_outer_builds(
        os::environment_variable(format::outer_builds_variable).value_or(""));
    return builds;
}

[[maybe_unused]] const bool builds_read =
    os::before_main([]() -> auto& { return builds_in_environment(); });

/// Returns the builds of other processes that this thread works for. A forked child works for the
/// builds of the thread that forked it.
std::vector<OuterBuild> outer_builds() {
    std::vector<OuterBuild> builds = builds_in_environment();
    for (auto* each = innermost_build; each != nullptr; each = each->around()) {
        if (each->is_ours()) continue;
        if (auto build = each->seen()) builds.push_back(*std::move(build));
    }
    return builds;
}

/// One activity of a thread, as a lease table shows it: the thread holds a build, waits for one, or
/// works for one. `since` makes it unique. So if two readings find the same one, it is the same
/// wait, and not a later wait of the same thread.
struct SeenActivity {
    std::string root;  ///< the path of the cache
    os::ProcessIdentity process;
    std::int64_t thread;
    std::uint64_t lock;  ///< of the build
    ActivityView::Kind kind;
    std::uint64_t since;
    bool ours;         ///< it is an activity of this thread
    std::string text;  ///< "build numpy-2.1.0 by pid 4711 (uv pip install)"

    /// What identifies it: all but what is derived.
    [[nodiscard]] auto key() const {
        return std::tie(root, process.boot, process.pid_namespace, process.start, process.pid,
                        thread, lock, kind, since);
    }
    friend bool operator<(const SeenActivity& a, const SeenActivity& b) {
        return a.key() < b.key();
    }
};

/// Returns whether two activities belong to one thread.
bool is_same_thread(const SeenActivity& a, const SeenActivity& b) {
    const auto thread_of = [](const SeenActivity& each) {
        return std::tie(each.process.boot, each.process.pid_namespace, each.process.start,
                        each.process.pid, each.thread);
    };
    return thread_of(a) == thread_of(b);
}

/// Adds the activities of one cache. Adds none if its tables cannot be read: then a circle (a cycle
/// of waits, which is a deadlock) may not be seen. That costs time alone, since each wait has a
/// limit.
void add_activities_of(const cache::Root& root, std::set<SeenActivity>& activities) {
    const auto participants = cache::read_participants(root.dirs().participants);
    if (!participants) return;
    const auto me = os::this_process();
    for (const auto& participant : participants->views) {
        if (!participant.counts()) continue;
        const auto& process = participant.table.process;
        const bool our_process = participant.here && process.pid == me.pid;
        for (const auto& activity : participant.table.activities) {
            activities.insert(
                {.root = path_of(root),
                 .process = process,
                 .thread = activity.thread,
                 .lock = activity.lock,
                 .kind = activity.kind,
                 .since = activity.since_nanos,
                 .ours = our_process && activity.thread == os::this_thread(),
                 .text = activity.label + " by " + cache::describe(participant.table)});
        }
    }
}

/// Reads all caches that this process has open, because a circle may lead through several.
std::set<SeenActivity> read_activities() {
    std::set<SeenActivity> activities;
    for (const auto& root : cache::open_roots()) add_activities_of(*root, activities);
    return activities;
}

/// Returns the activity that holds the build for which `nested` works. Returns null if that build
/// has ended: a program may outlive the build that started it.
const SeenActivity* holder_for(const std::set<SeenActivity>& activities,
                               const SeenActivity& nested) {
    for (const SeenActivity& other : activities) {
        if (other.kind == ActivityView::Kind::holds && other.root == nested.root &&
            other.lock == nested.lock && other.since == nested.since)
            return &other;
    }
    return nullptr;
}

/// A chain of activities in the order in which they wait, without doubles. It points into the set
/// of activities in which it was found.
using Chain = std::vector<const SeenActivity*>;

/// The lock of a build in one cache.
using BuildPlace = std::pair<std::string, std::uint64_t>;  // the path of the cache, and the byte

/// Returns the activities by which threads keep a build open: they hold it or work for it. It can't
/// end before they do.
std::vector<const SeenActivity*> what_keeps_open(const std::set<SeenActivity>& activities,
                                                 const BuildPlace& build) {
    std::vector<const SeenActivity*> at;
    for (const auto& each : activities) {
        if (each.kind != ActivityView::Kind::waits && BuildPlace(each.root, each.lock) == build)
            at.push_back(&each);
    }
    return at;
}

/// Returns the waits of the thread that has the activity `of`.
std::vector<const SeenActivity*> waits_of_thread(const std::set<SeenActivity>& activities,
                                                 const SeenActivity& of) {
    std::vector<const SeenActivity*> waits;
    for (const auto& each : activities) {
        if (each.kind == ActivityView::Kind::waits && is_same_thread(each, of))
            waits.push_back(&each);
    }
    return waits;
}

/// Follows the waits from the builder of `wanted`, to find out whether they lead to a build that
/// this thread holds or works for. Returns the chain of holds and waits on that way; an empty chain
/// if there is none. The chain consists of threads and not of processes: two processes that build
/// several things often wait for each other, without a circle of threads.
Chain find_circle(const std::set<SeenActivity>& activities, const BuildPlace& wanted) {
    /// A build that the search has still to look at, and the chain that leads from `wanted` to it.
    struct Step {
        BuildPlace build;
        Chain before;
    };
    std::set<BuildPlace> visited;  // so the search ends, whatever circles there are
    std::vector<Step> to_follow{{.build = wanted, .before = {}}};
    while (!to_follow.empty()) {
        const Step step = std::move(to_follow.back());
        to_follow.pop_back();
        if (!visited.insert(step.build).second) continue;  // another chain has led here
        for (const SeenActivity* const thread : what_keeps_open(activities, step.build)) {
            Chain chain = step.before;
            if (thread->kind == ActivityView::Kind::works_for) {
                const SeenActivity* const builder = holder_for(activities, *thread);
                if (builder == nullptr) continue;  // that build has ended
                chain.push_back(builder);
            }
            chain.push_back(thread);
            if (thread->ours) return chain;
            for (const SeenActivity* const wait : waits_of_thread(activities, *thread)) {
                Chain longer = chain;
                longer.push_back(wait);
                to_follow.push_back({.build = {wait->root, wait->lock}, .before = longer});
            }
        }
    }
    return {};
}

/// Returns the circle for people: who holds the builds of the chain, in the order in which they
/// wait.
std::string text_of(const Chain& chain) {
    std::string text;
    for (const SeenActivity* const link : chain) {
        if (link->kind != ActivityView::Kind::holds) continue;
        text += (text.empty() ? "" : ", which waits for ") + link->text;
    }
    return text + ", which waits for this one";
}

/// Returns whether the process that began `build` still holds it. Returns false if the tables
/// cannot be read.
bool is_held_now(const OuterBuild& build, const cache::Root& root) {
    const auto participants = cache::read_participants(root.dirs().participants);
    if (!participants) return false;
    for (const auto& participant : participants->views) {
        if (!participant.counts()) continue;
        for (const auto& activity : participant.table.activities) {
            if (activity.kind == ActivityView::Kind::holds && activity.lock == build.lock &&
                activity.since_nanos == build.since_nanos)
                return true;
        }
    }
    return false;
}

}  // namespace

BuildInProgress::BuildInProgress(const BuildRef& build, std::uint64_t since_nanos, bool has_lock)
    : build_(build),
      since_nanos_(since_nanos),
      has_lock_(has_lock),
      process_(os::process_token()),
      around_(std::exchange(innermost_build, this)) {}

BuildInProgress::~BuildInProgress() { innermost_build = around_; }

std::optional<OuterBuild> seen_by_others(const BuildRef& build, std::uint64_t since_nanos) {
    if (since_nanos == 0) return std::nullopt;
    return OuterBuild{path_of(build.root), build.lock, since_nanos, std::string(build.key_path)};
}

std::string text_for_nested_builds(std::optional<OuterBuild> claimed) {
    std::vector<OuterBuild> builds = builds_in_environment();
    if (claimed) builds.push_back(*std::move(claimed));
    for (auto* each = innermost_build; each != nullptr; each = each->around()) {
        if (auto build = each->seen()) builds.push_back(*std::move(build));
    }
    return format::print_outer_builds(builds);
}

OwnPart own_part_of(const BuildRef& wanted) {
    auto part = OwnPart::none;
    for (auto* each = innermost_build; each != nullptr; each = each->around()) {
        const BuildRef& build = each->build();
        if (&build.root != &wanted.root || build.lock != wanted.lock) continue;
        if (build.key_path == wanted.key_path) return OwnPart::key;
        if (each->has_lock()) part = OwnPart::byte;
    }
    for (const OuterBuild& build : outer_builds()) {
        if (build.lock != wanted.lock || build.root != path_of(wanted.root) ||
            !is_held_now(build, wanted.root))
            continue;
        if (build.key_path == wanted.key_path) return OwnPart::key;
        part = OwnPart::byte;
    }
    return part;
}

namespace {

/// Opens the cache of a build. Returns null if it is gone, or can't be opened.
std::shared_ptr<cache::Root> open_cache_of(const OuterBuild& build) {
    const std::filesystem::path path = build.root;
    // To open a root that is gone would make a new cache.
    std::error_code error;
    const bool stands = os::retried(error, [&](std::error_code& each) {
        return std::filesystem::exists(path / format::format_name, each);
    });
    if (!stands) return nullptr;
    OpenOptions options;
    options.allow_network = true;  // the builder was allowed to, and has the cache open so
    options.allow_unsafe = true;
    auto root = cache::open_root(path, options);
    return root ? std::move(*root) : nullptr;
}

}  // namespace

ShownOuterBuilds::ShownOuterBuilds(const cache::CallContext& context) {
    for (const auto& build : outer_builds()) {
        auto root = open_cache_of(build);
        if (root == nullptr || !is_held_now(build, *root)) continue;
        activities_.emplace_back(root->participant_if_possible(context), build.lock,
                                 build.since_nanos);
        roots_.push_back(std::move(root));
    }
}

std::optional<std::string> circle_of(const BuildRef& wanted) {
    const auto activities = read_activities();
    const auto chain = find_circle(activities, {path_of(wanted.root), wanted.lock});
    if (chain.empty()) return std::nullopt;
    (void)os::point("build.circle-seen");
    // The tables are read one after the other, so one reading may show a circle that never existed.
    // If two readings agree on a chain, all of it existed at one time between them.
    const auto again = read_activities();
    const bool still = std::all_of(chain.begin(), chain.end(),
                                   [&](const SeenActivity* link) { return again.contains(*link); });
    if (!still) return std::nullopt;
    return text_of(chain);
}

}  // namespace larder::protocol
