// SPDX-License-Identifier: MIT
// Among all processes a key has one builder at a time.
//
// A builder holds the key's lock from before it looks for the last time (before its middle) until
// after it has published (before its end). So of two builders, in the order of their middles, the
// second has looked after the first had published. If no operation had removed what the first made,
// the second would have found it. This is judged exactly.
//
// Whether two builders overlapped can't be told exactly: between the release of the lock and the
// time that is written down for its end, the first may have lost the processor. They overlapped if
// it would have lost it for longer than `noise`.

#include <algorithm>
#include <fmt/format.h>

#include "stress/judge/checks.hpp"
#include "stress/judge/stops.hpp"

namespace larder::stress {

namespace {

class BuildCheck {
public:
    BuildCheck(const JudgeContext& context, const RegisterTable& registers, std::size_t number)
        : context_(context),
          refreshes_(registers.refreshes(context.at(registers.operations(number).front()).bucket)) {
        for (const OpIndex op : registers.operations(number)) {
            const auto& operation = context.at(op);
            if (operation.kind == EventKind::build && operation.middle != 0) builds_.push_back(op);
            const bool may_take =
                operation.outcome == OpOutcome::ok || operation.outcome == OpOutcome::unclear;
            if ((operation.kind == EventKind::remove || operation.kind == EventKind::evict) &&
                may_take)
                removes_.add(operation.begin, operation.end, true, op);
        }
        std::erase_if(builds_, [&](OpIndex op) { return is_unlocked(context.at(op)); });
        std::sort(builds_.begin(), builds_.end(), [&](OpIndex a, OpIndex b) {
            return context.at(a).middle < context.at(b).middle;
        });
        removes_.complete();
    }

    void run() {
        context_.verdict.builds += builds_.size();
        for (std::size_t i = 1; i < builds_.size(); ++i)
            compare(context_.at(builds_[i - 1]), context_.at(builds_[i]));
    }

private:
    /// Returns whether the build may have gone on without the lock.
    [[nodiscard]] bool is_unlocked(const Operation& build) const {
        const auto waited = build.middle - build.begin;
        return waited >= static_cast<Time>(context_.options.build_timeout.count()) ||
               (context_.options.may_build_unlocked && context_.options.may_build_unlocked(build));
    }

    void compare(const Operation& first, const Operation& second) {
        constexpr auto kind = Violation::Kind::built_twice;
        const bool published = first.outcome == OpOutcome::ok && first.version == first.intended;
        if (published && !removes_.any_between(first.middle, second.middle) &&
            !refreshes_.any_between(first.middle, second.middle)) {
            context_.violations.add(
                kind,
                fmt::format(
                    "{} called its builder, although no operation may have removed what {} made",
                    describe(second), describe(first)),
                {first, second});
            return;
        }
        const auto& incidents = context_.history.incidents;
        const Interval both{second.middle, std::min(end_of(first), end_of(second))};
        if (both.to <= both.from) return;
        const Time together =
            both.to - both.from - stopped_within(incidents, {first.process, second.process}, both);
        if (together <= static_cast<Time>(context_.options.noise.count())) return;
        context_.violations.add(
            kind,
            fmt::format("{} and {} built at the same time: for {} ms both were running",
                        describe(first), describe(second), together / 1'000'000),
            {first, second});
    }

    /// Returns until when the build has surely held the lock. The kernel releases the lock of a
    /// process at some time after it was killed.
    [[nodiscard]] Time end_of(const Operation& build) const {
        return std::min({build.end, context_.history.incidents.of(build.process).last(),
                         context_.history.last});
    }

    const JudgeContext& context_;
    const ClearIndex& refreshes_;
    ClearIndex removes_;
    std::vector<OpIndex> builds_;
};

}  // namespace

void check_built_once(const JudgeContext& context, const RegisterTable& registers,
                      std::size_t number) {
    BuildCheck(context, registers, number).run();
}

}  // namespace larder::stress
