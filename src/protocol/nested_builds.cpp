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
        auto build = each->is_ours() ? std::nullopt : each->seen();
        if (build) builds.push_back(*std::move(build));
    }
    return builds;
}

/// One activity of a thread: it holds a build, waits for one, or works for one. `since` makes it
/// unique. So if two readings find the same one, it is the same wait, and not a later wait of the
/// same thread.
struct Involved {
    std::string root;
    std::tuple<os::BootId, std::uint64_t, std::uint64_t, std::int64_t> process;
    std::int64_t thread;
    std::uint64_t lock;
    ActivityView::Kind kind;
    std::uint64_t since;
    bool ours;
    std::string text;  ///< "build numpy-2.1.0 by pid 4711 (uv pip install)"

    [[nodiscard]] auto key() const { return std::tie(root, process, thread, lock, kind, since); }
    friend bool operator<(const Involved& a, const Involved& b) { return a.key() < b.key(); }
};

/// Adds the activities of one cache. Adds none if its tables cannot be read: a circle that is not
/// seen costs time, since each wait has a limit.
void read_involved(const cache::Root& root, std::set<Involved>& involved) {
    const auto participants = cache::read_participants(root.dirs().participants);
    if (!participants) return;
    const auto me = os::this_process();
    for (const auto& participant : participants->views) {
        if (!participant.counts()) continue;
        const auto& process = participant.table.process;
        const bool our_process = participant.here && process.pid == me.pid;
        for (const auto& activity : participant.table.activities) {
            involved.insert({path_of(root),
                             {process.boot, process.pid_namespace, process.start, process.pid},
                             activity.thread,
                             activity.lock,
                             activity.kind,
                             activity.since_nanos,
                             our_process && activity.thread == os::this_thread(),
                             activity.label + " by " + cache::describe(participant.table)});
        }
    }
}

/// Reads all caches that this process has open, because a circle may lead through several.
std::set<Involved> read_all_involved() {
    std::set<Involved> involved;
    for (const auto& root : cache::open_roots()) read_involved(*root, involved);
    return involved;
}

/// Returns the activity that holds the build for which `inside` works. Returns null if that build
/// has ended: a program may outlive the build that started it.
const Involved* holder_for(const std::set<Involved>& involved, const Involved& inside) {
    const auto holder = std::find_if(involved.begin(), involved.end(), [&](const Involved& other) {
        return other.kind == ActivityView::Kind::holds && other.root == inside.root &&
               other.lock == inside.lock && other.since == inside.since;
    });
    return holder == involved.end() ? nullptr : &*holder;
}

/// A chain of activities in the order in which they wait, without doubles.
using Chain = std::vector<const Involved*>;

/// Returns the chain of holds and waits from the builder of `wanted` to a build that this thread
/// holds or works for. Returns an empty chain if there is none. The chain consists of threads and
/// not of processes: two processes that build several things often wait for each other, without a
/// circle of threads.
Chain find_circle(const std::set<Involved>& involved, const std::string& root, std::uint64_t lock) {
    /// A build that the search has still to look at, and the chain that leads from it to the start.
    struct Step {
        std::string root;
        std::uint64_t lock;
        Chain before;
    };
    std::set<std::pair<std::string, std::uint64_t>> seen;
    std::vector<Step> to_follow{{root, lock, {}}};
    while (!to_follow.empty()) {
        const Step step = std::move(to_follow.back());
        to_follow.pop_back();
        if (!seen.insert({step.root, step.lock}).second) continue;
        for (const auto& holder : involved) {
            if (holder.kind == ActivityView::Kind::waits || holder.lock != step.lock ||
                holder.root != step.root)
                continue;
            Chain chain = step.before;
            if (holder.kind == ActivityView::Kind::works_for) {
                const Involved* const builder = holder_for(involved, holder);
                if (builder == nullptr) continue;
                chain.push_back(builder);
            }
            chain.push_back(&holder);
            if (holder.ours) return chain;
            for (const auto& wait : involved) {
                if (wait.kind != ActivityView::Kind::waits || wait.process != holder.process ||
                    wait.thread != holder.thread)
                    continue;
                Chain longer = chain;
                longer.push_back(&wait);
                to_follow.push_back({wait.root, wait.lock, std::move(longer)});
            }
        }
    }
    return {};
}

/// Returns the circle for people: who holds the builds of the chain, in the order in which they
/// wait.
std::string text_of(const Chain& chain) {
    std::string text;
    for (const Involved* const link : chain) {
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

BuildInProgress::BuildInProgress(const BuildNumber& build, std::uint64_t since_nanos)
    : build_(build),
      since_nanos_(since_nanos),
      process_(os::process_token()),
      around_(std::exchange(innermost_build, this)) {}

BuildInProgress::~BuildInProgress() { innermost_build = around_; }

std::optional<OuterBuild> BuildInProgress::seen() const {
    if (since_nanos_ == 0) return std::nullopt;
    return OuterBuild{path_of(build_.root), build_.lock, since_nanos_};
}

std::string text_for_nested_builds() {
    std::vector<OuterBuild> builds = builds_in_environment();
    for (auto* each = innermost_build; each != nullptr; each = each->around()) {
        if (auto build = each->seen()) builds.push_back(*std::move(build));
    }
    return format::print_outer_builds(builds);
}

bool would_wait_for_itself(const BuildNumber& wanted) {
    for (auto* each = innermost_build; each != nullptr; each = each->around()) {
        if (&each->number().root == &wanted.root && each->number().lock == wanted.lock) return true;
    }
    const auto outer = outer_builds();
    return std::any_of(outer.begin(), outer.end(), [&](const OuterBuild& build) {
        return build.lock == wanted.lock && build.root == path_of(wanted.root) &&
               is_held_now(build, wanted.root);
    });
}

ShownOuterBuilds::ShownOuterBuilds(const cache::CallContext& context) {
    for (const auto& build : outer_builds()) {
        // To open a root that is gone would make a new cache.
        const std::filesystem::path path = build.root;
        std::error_code error;
        const bool stands = os::retried(error, [&](std::error_code& each) {
            return std::filesystem::exists(path / format::format_name, each);
        });
        if (!stands) continue;
        OpenOptions options;
        options.allow_network = true;  // the builder was allowed to
        auto root = cache::open_root(path, options);
        if (!root || !is_held_now(build, **root)) continue;
        activities_.emplace_back((*root)->participant_if_possible(context), build.lock,
                                 build.since_nanos);
        roots_.push_back(std::move(*root));
    }
}

std::optional<std::string> circle_of(const BuildNumber& wanted) {
    const std::string root = path_of(wanted.root);
    const auto involved = read_all_involved();
    const auto chain = find_circle(involved, root, wanted.lock);
    if (chain.empty()) return std::nullopt;
    (void)os::point("build.circle-seen");
    // The tables are read one after the other, so one reading may show a circle that never existed.
    // If two readings agree on a chain, all of it existed at one time between them.
    const auto again = read_all_involved();
    const bool still = std::all_of(chain.begin(), chain.end(),
                                   [&](const Involved* link) { return again.contains(*link); });
    if (!still) return std::nullopt;
    return text_of(chain);
}

}  // namespace larder::protocol
