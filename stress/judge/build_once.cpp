// SPDX-License-Identifier: MIT
// One builder for a key, among all processes.
//
// A builder holds the key's lock from before it looks for the last time, which is before its middle, until after it has
// published, which is before its end. So of two builders, in the order of their middles, the second has looked after the first
// had published: had nothing taken the first one's version away by then, it would not have built. This is judged exactly. That
// they overlapped can be told exactly only so: between letting go of the lock and writing down its end, the first may have lost
// the processor. Longer than `noise` it did not.

#include <algorithm>
#include <fmt/format.h>

#include "stress/judge/checks.hpp"
#include "stress/judge/stops.hpp"

namespace larder::stress {

namespace {

class BuildCheck {
public:
    BuildCheck(const Scene& scene, const Registers& registers, std::size_t number)
        : scene_(scene),
          refreshes_(registers.refreshes(scene.at(registers.operations(number).front()).bucket)) {
        for (const Place place : registers.operations(number)) {
            const auto& operation = scene.at(place);
            if (operation.kind == Kind::build && operation.middle != 0) builds_.push_back(place);
            const bool may_take =
                operation.outcome == Outcome::ok || operation.outcome == Outcome::unclear;
            if ((operation.kind == Kind::remove || operation.kind == Kind::evict) && may_take)
                removes_.add(operation.begin, operation.end, true, place);
        }
        std::erase_if(builds_, [&](Place place) { return is_unlocked(scene.at(place)); });
        std::sort(builds_.begin(), builds_.end(),
                  [&](Place a, Place b) { return scene.at(a).middle < scene.at(b).middle; });
        removes_.complete();
    }

    void run() {
        scene_.verdict.builds += builds_.size();
        for (std::size_t i = 1; i < builds_.size(); ++i)
            compare(scene_.at(builds_[i - 1]), scene_.at(builds_[i]));
    }

private:
    [[nodiscard]] bool is_unlocked(const Operation& build) const {
        const auto waited = build.middle - build.begin;
        return waited >= static_cast<Time>(scene_.options.build_timeout.count()) ||
               (scene_.options.may_build_unlocked && scene_.options.may_build_unlocked(build));
    }

    void compare(const Operation& first, const Operation& second) {
        constexpr auto kind = Violation::Kind::built_twice;
        const bool published = first.outcome == Outcome::ok && first.version == first.intended;
        if (published && !removes_.any_between(first.middle, second.middle) &&
            !refreshes_.any_between(first.middle, second.middle)) {
            scene_.findings.add(
                kind,
                fmt::format(
                    "{} called its build, though nothing may have taken away what {} had made",
                    describe(second), describe(first)),
                {first, second});
            return;
        }
        const auto& incidents = scene_.history.incidents;
        const Interval both{second.middle, std::min(end_of(first), end_of(second))};
        if (both.to <= both.from) return;
        const Time together =
            both.to - both.from - stopped_within(incidents, {first.process, second.process}, both);
        if (together <= static_cast<Time>(scene_.options.noise.count())) return;
        scene_.findings.add(kind,
                            fmt::format("{} and {} built at once, for {} ms in which both ran",
                                        describe(first), describe(second), together / 1'000'000),
                            {first, second});
    }

    /// When it let go of the lock, or the kernel did that for it.
    [[nodiscard]] Time end_of(const Operation& build) const {
        return std::min(
            {build.end, scene_.history.incidents.of(build.process).last(), scene_.history.last});
    }

    const Scene& scene_;
    const Clears& refreshes_;
    Clears removes_;
    std::vector<Place> builds_;
};

}  // namespace

void check_built_once(const Scene& scene, const Registers& registers, std::size_t number) {
    BuildCheck(scene, registers, number).run();
}

}  // namespace larder::stress
