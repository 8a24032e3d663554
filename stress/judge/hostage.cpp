// SPDX-License-Identifier: MIT
// No operation is held up by a process that is dead. Gets, claims, refreshes and collections are
// not held up by any process. A claim is refused only for a build that lives.

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "stress/history/text.hpp"
#include "stress/judge/checks.hpp"
#include "stress/judge/stops.hpp"

namespace larder::stress {

namespace {

class HostageCheck {
public:
    explicit HostageCheck(const JudgeContext& context) : context_(context) {}

    void run() {
        index_builds();
        for (const auto& operation : context_.history.operations) {
            if (const auto limit = limit_of(operation.kind)) check_time(operation, *limit);
            if (operation.outcome == OpOutcome::busy) check_busy(operation);
        }
    }

private:
    static constexpr auto kind = Violation::Kind::hostage;

    /// Returns how long an operation may take; nullopt if there is no limit. A build waits for the
    /// builds of others, and a verify and a list look at everything.
    [[nodiscard]] std::optional<Time> limit_of(EventKind operation) const {
        const auto& options = context_.options;
        switch (operation) {
            case EventKind::get:
            case EventKind::claim:
            case EventKind::refresh:
            case EventKind::collect:
                return static_cast<Time>(options.hostage_limit.count());
            case EventKind::put:
            case EventKind::remove:
                return static_cast<Time>((options.lock_timeout + options.hostage_limit).count());
            default:
                return std::nullopt;
        }
    }

    void check_time(const Operation& operation, Time limit) {
        ++context_.verdict.waits;
        const auto& incidents = context_.history.incidents;
        // An operation that never ended was held up for as long as its process could have gone on.
        const Time end = std::min(operation.end, context_.history.last);
        if (end - operation.begin <= limit) return;
        const Time alive =
            std::min(end, std::max(operation.begin, incidents.of(operation.process).last()));
        const Time running =
            alive - operation.begin -
            stopped_within(incidents, {operation.process}, {operation.begin, alive});
        if (running <= limit) return;
        context_.violations.add(
            kind,
            fmt::format("{} took {} ms while its process was running; the limit is {} ms",
                        describe(operation), running / 1'000'000, limit / 1'000'000),
            {operation});
    }

    void check_busy(const Operation& operation) {
        switch (operation.kind) {
            case EventKind::get:
            case EventKind::refresh:
            case EventKind::list:
                context_.violations.add(
                    kind,
                    fmt::format("{} ended busy, although it never waits", describe(operation)),
                    {operation});
                return;
            case EventKind::claim:
                return check_refused(operation);
            case EventKind::put:
            case EventKind::build:
            case EventKind::remove:
                break;
            default:
                return;  // another collector was at work
        }
        // A process holds the lock for an instant, unless it is stopped. The times of a stop are
        // known to within the noise only, but at least half of the time-out is asked for.
        const auto& options = context_.options;
        const auto wanted =
            options.lock_timeout - std::min(options.noise, options.lock_timeout / 2);
        const Time held = others_held_within(context_.history.incidents, operation.process,
                                             {operation.begin, operation.end});
        if (held >= static_cast<Time>(wanted.count())) return;
        context_.violations.add(
            kind,
            fmt::format(
                "{} ended busy, although other processes were stopped or dying for only {} ms of "
                "the {} ms that it waits",
                describe(operation), held / 1'000'000, options.lock_timeout.count() / 1'000'000),
            {operation});
    }

    /// Notes when each key was perhaps being built: from the begin of each build until its end, or
    /// the end of its process. A killed process keeps its locks until it has ended. The builds of
    /// refused claims are none.
    void index_builds() {
        std::set<std::tuple<std::uint32_t, std::uint16_t, std::uint32_t>> refused;
        for (const auto& claim : context_.history.operations) {
            // A claim is the operation after the begin of its build.
            if (claim.kind == EventKind::claim && claim.outcome == OpOutcome::busy)
                refused.emplace(claim.process, claim.thread, claim.operation - 1);
        }
        for (const auto& build : context_.history.operations) {
            if (build.kind != EventKind::build ||
                refused.contains({build.process, build.thread, build.operation}))
                continue;
            const Time end =
                std::min(build.end, context_.history.incidents.of(build.process).ended);
            builds_[{build.bucket, build.key}].push_back({build.begin, end});
        }
    }

    /// A claim that was refused was made while another builder was at work.
    void check_refused(const Operation& claim) {
        ++context_.verdict.waits;
        const auto at = builds_.find({claim.bucket, claim.key});
        const auto explains = [&](const Interval& build) {
            return build.from <= claim.end && claim.begin <= build.to;
        };
        if (at != builds_.end() && std::any_of(at->second.begin(), at->second.end(), explains))
            return;
        context_.violations.add(
            kind, fmt::format("{} was refused, although no process built the key", describe(claim)),
            {claim});
    }

    const JudgeContext& context_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<Interval>> builds_;  // by key
};

}  // namespace

void check_hostages(const JudgeContext& context) { HostageCheck(context).run(); }

}  // namespace larder::stress
