// SPDX-License-Identifier: MIT
// What a limit takes is nobody's.
//
// A lease has no record of its own: a thread has one from the end of the put, get or build that gave it, and still has it when it reads the entry
// once more. Where all that it was given of a version came before an eviction of it began, and it reads that version after the eviction has
// ended, it had the lease all the time: nobody is given what was evicted.

#include <algorithm>
#include <fmt/format.h>
#include <unordered_map>

#include "stress/history/text.hpp"
#include "stress/judge/checks.hpp"

namespace larder::stress {

namespace {

class EvictionCheck {
public:
    EvictionCheck(const Scene& scene, const Writers& writers) : scene_(scene), writers_(writers) {}

    void run() {
        const auto& operations = scene_.history.operations;
        for (std::size_t place = 0; place < operations.size(); ++place) {
            if (operations[place].kind == Kind::evict && operations[place].outcome == Outcome::ok)
                evicted_[operations[place].version].push_back(static_cast<Place>(place));
        }
        if (evicted_.empty()) return;
        for (std::size_t place = 0; place < operations.size(); ++place)
            note(operations[place], static_cast<Place>(place));
        for (const auto& [version, evictions] : evicted_) {
            for (const Place place : evictions) judge(scene_.at(place));
        }
    }

private:
    static constexpr auto kind = Violation::Kind::evicted;

    void note(const Operation& operation, Place place) {
        const bool gives = operation.kind == Kind::put || operation.kind == Kind::get ||
                           operation.kind == Kind::build;
        if (gives && operation.outcome == Outcome::ok && evicted_.contains(operation.version))
            given_[operation.version].push_back(place);
        if (operation.kind == Kind::use && evicted_.contains(operation.intended))
            used_[operation.intended].push_back(place);
    }

    void judge(const Operation& eviction) {
        ++scene_.verdict.evictions;
        if (const auto writer = writers_.find(eviction.version);
            writer && eviction.middle != 0 && scene_.at(*writer).begin > eviction.middle) {
            scene_.findings.add(kind,
                                fmt::format("{} took what {} had not begun to write when it chose",
                                            describe(eviction), describe(scene_.at(*writer))),
                                {eviction, scene_.at(*writer)});
        }
        for (const Place use : used_[eviction.version]) {
            if (scene_.at(use).begin > eviction.end) judge_use(eviction, scene_.at(use));
        }
    }

    void judge_use(const Operation& eviction, const Operation& use) {
        const Operation* first = nullptr;
        for (const Place place : given_[eviction.version]) {
            const auto& given = scene_.at(place);
            if (given.process != use.process || given.thread != use.thread) continue;
            if (given.end >= eviction.begin)
                return;  // it may have let go of what it had before, and have been given it once more
            if (first == nullptr || given.begin < first->begin) first = &given;
        }
        if (first == nullptr) return;  // somebody else's lease: a forked child's, or a cachetool's
        scene_.findings.add(
            kind,
            fmt::format("{} took what {} had leased: {} came later, and nothing between",
                        describe(eviction), describe(*first), describe(use)),
            {eviction, *first, use});
    }

    const Scene& scene_;
    const Writers& writers_;
    std::unordered_map<Version, std::vector<Place>> evicted_, given_, used_;
};

}  // namespace

void check_evictions(const Scene& scene, const Writers& writers) {
    EvictionCheck(scene, writers).run();
}

}  // namespace larder::stress
