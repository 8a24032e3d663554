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
    EvictionCheck(const JudgeContext& context, const VersionWriters& writers)
        : context_(context), writers_(writers) {}

    void run() {
        const auto& operations = context_.history.operations;
        for (std::size_t op = 0; op < operations.size(); ++op) {
            if (operations[op].kind == EventKind::evict && operations[op].outcome == OpOutcome::ok)
                evicted_[operations[op].version].push_back(static_cast<OpIndex>(op));
        }
        if (evicted_.empty()) return;
        for (std::size_t op = 0; op < operations.size(); ++op)
            note(operations[op], static_cast<OpIndex>(op));
        for (const auto& [version, evictions] : evicted_) {
            for (const OpIndex op : evictions) judge(context_.at(op));
        }
    }

private:
    static constexpr auto kind = Violation::Kind::evicted;

    void note(const Operation& operation, OpIndex op) {
        const bool gives = operation.kind == EventKind::put || operation.kind == EventKind::get ||
                           operation.kind == EventKind::build;
        if (gives && operation.outcome == OpOutcome::ok && evicted_.contains(operation.version))
            given_[operation.version].push_back(op);
        if (operation.kind == EventKind::use && evicted_.contains(operation.intended))
            used_[operation.intended].push_back(op);
    }

    void judge(const Operation& eviction) {
        ++context_.verdict.evictions;
        if (const auto writer = writers_.find(eviction.version);
            writer && eviction.middle != 0 && context_.at(*writer).begin > eviction.middle) {
            context_.violations.add(
                kind,
                fmt::format("{} took what {} had not begun to write when it chose",
                            describe(eviction), describe(context_.at(*writer))),
                {eviction, context_.at(*writer)});
        }
        for (const OpIndex use : used_[eviction.version]) {
            if (context_.at(use).begin > eviction.end) judge_use(eviction, context_.at(use));
        }
    }

    void judge_use(const Operation& eviction, const Operation& use) {
        const Operation* first = nullptr;
        for (const OpIndex op : given_[eviction.version]) {
            const auto& given = context_.at(op);
            if (given.process != use.process || given.thread != use.thread) continue;
            if (given.end >= eviction.begin)
                return;  // it may have let go of what it had before, and have been given it once more
            if (first == nullptr || given.begin < first->begin) first = &given;
        }
        if (first == nullptr) return;  // somebody else's lease: a forked child's, or a cachetool's
        context_.violations.add(
            kind,
            fmt::format("{} took what {} had leased: {} came later, and nothing between",
                        describe(eviction), describe(*first), describe(use)),
            {eviction, *first, use});
    }

    const JudgeContext& context_;
    const VersionWriters& writers_;
    std::unordered_map<Version, std::vector<OpIndex>> evicted_, given_, used_;
};

}  // namespace

void check_evictions(const JudgeContext& context, const VersionWriters& writers) {
    EvictionCheck(context, writers).run();
}

}  // namespace larder::stress
