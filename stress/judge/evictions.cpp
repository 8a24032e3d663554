// SPDX-License-Identifier: MIT
// An entry that is leased is not evicted.
//
// The history has no events for leases. A thread has a lease from the end of the put, get or build
// that returned it, and still has it when it reads the entry again. Assume that a thread was given
// a version only before an eviction of it began, and reads that version after the eviction has
// ended. Then it had the lease all the time, because no operation returns a version that was
// evicted.

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
                fmt::format("{} removed what {} had not begun to write when the collection chose",
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
                return;  // it may have released its lease before, and have been given another one
            if (first == nullptr || given.begin < first->begin) first = &given;
        }
        if (first == nullptr)
            return;  // the lease was inherited by a fork, or belongs to a cachetool
        context_.violations.add(kind,
                                fmt::format("{} removed what {} had leased, and {} still read",
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
