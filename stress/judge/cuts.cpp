// SPDX-License-Identifier: MIT
// What a power cut must leave.
//
// A change *holds* over a cut if it was made for power, and had ended ok before the cut began. A
// remove for power that found nothing holds as well: it promises that the key stays away. All other
// changes may be on the disk or not, in any combination, and so may those that run during the cut.
// The files of an entry whose put does not hold may be torn, and then a get misses it.
//
// A get after the cut may find
//
// - a version, unless a change of its key that holds came after it: began when the version was
//   known to be there, because its put had ended or a get had found it;
// - nothing, unless a put of the key holds, and nothing that leaves no entry can have come after
//   that: a remove, a refresh or an eviction, or a put that does not hold.
//
// A history of a correct cache always passes: each rule follows from the times alone. Some others
// pass as well, because it is not used what a remove that ended ok must have found.
#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>
#include <unordered_map>

#include "stress/judge/checks.hpp"

namespace larder::stress {

namespace {

std::uint64_t packed_key(const Operation& operation) {
    return std::uint64_t{operation.bucket} << 32 | operation.key;
}

bool may_have_happened(const Operation& operation) {
    return operation.outcome == OpOutcome::ok || operation.outcome == OpOutcome::unclear;
}

/// Returns whether the operation may have written its version. A build whose own builder was not
/// called has read one.
bool may_write(const Operation& operation) {
    const bool writes = operation.kind == EventKind::put ||
                        (operation.kind == EventKind::build && operation.middle != 0);
    return writes && may_have_happened(operation);
}

bool may_clear(const Operation& operation) {
    const bool clears = operation.kind == EventKind::remove || operation.kind == EventKind::evict ||
                        operation.kind == EventKind::refresh;
    return clears && may_have_happened(operation);
}

bool holds(const Operation& operation, const Operation& cut) {
    if (!operation.for_power || !operation.finished || operation.end >= cut.begin) return false;
    return operation.outcome == OpOutcome::ok ||
           (operation.kind == EventKind::remove && operation.outcome == OpOutcome::miss);
}

/// The changes of one key, and what was read there before any cut.
class KeyChanges {
public:
    KeyChanges(const JudgeContext& context, std::span<const OpIndex> on_key,
               std::span<const OpIndex> refreshes) {
        for (const OpIndex op : on_key) add(context.at(op));
        for (const OpIndex op : refreshes) changes_.push_back(&context.at(op));
    }

    /// Returns the operation by whose end the version of this put was there for certain: the first
    /// one that has read it, or the put.
    [[nodiscard]] const Operation& proof_of(const Operation& put) const {
        const auto read = first_read_.find(put.intended);
        const bool was_read = read != first_read_.end() && read->second->end < put.end;
        return was_read ? *read->second : put;
    }

    /// Returns the change that forbids to find, after the cut, what this put has written; null if
    /// there is none.
    [[nodiscard]] const Operation* forbids(const Operation& put, const Operation& cut) const {
        const Time since = proof_of(put).end;
        for (const Operation* change : changes_) {
            if (change != &put && change->begin > since && holds(*change, cut)) return change;
        }
        return nullptr;
    }

    /// Returns the put that forbids to find nothing after the cut; null if there is none.
    [[nodiscard]] const Operation* forbids_nothing(const Operation& cut) const {
        const Operation* last = nullptr;
        for (const Operation* change : changes_) {
            if (may_write(*change) && holds(*change, cut) &&
                (last == nullptr || change->begin > last->begin))
                last = change;
        }
        const auto may_leave_nothing = [&](const Operation* change) {
            const bool leaves = may_clear(*change) || (may_write(*change) && !holds(*change, cut));
            return leaves && change->begin < cut.end && change->end >= last->begin;
        };
        return last == nullptr || std::any_of(changes_.begin(), changes_.end(), may_leave_nothing)
                   ? nullptr
                   : last;
    }

private:
    void add(const Operation& operation) {
        const bool found_nothing = operation.kind == EventKind::remove && operation.for_power &&
                                   operation.outcome == OpOutcome::miss;
        if (may_write(operation) || may_clear(operation) || found_nothing)
            changes_.push_back(&operation);
        const bool reads = operation.kind == EventKind::get || operation.kind == EventKind::build;
        if (!reads || operation.outcome != OpOutcome::ok) return;
        const auto [at, is_first] = first_read_.try_emplace(operation.version, &operation);
        if (!is_first && operation.end < at->second->end) at->second = &operation;
    }

    std::vector<const Operation*> changes_;
    std::unordered_map<Version, const Operation*> first_read_;
};

/// What is read after cuts, and where.
struct CutReads {
    std::map<std::uint32_t, const Operation*> cuts;                     ///< by number
    std::map<std::uint32_t, const Operation*> restarts;                 ///< by process
    std::map<std::uint64_t, std::vector<const Operation*>> of_key;      ///< gets, by key
    std::unordered_map<std::uint32_t, std::vector<OpIndex>> refreshes;  ///< by bucket
    std::unordered_map<std::uint64_t, std::size_t> registers;           ///< numbers, by key
};

CutReads reads_of(const History& history, const RegisterTable& registers) {
    CutReads reads;
    for (std::size_t op = 0; op < history.operations.size(); ++op) {
        const Operation& operation = history.operations[op];
        const bool after_cut = history.restarted.contains(operation.process);
        if (operation.kind == EventKind::cut && operation.outcome == OpOutcome::ok) {
            reads.cuts.emplace(operation.bucket, &operation);
        } else if (operation.kind == EventKind::restart) {
            reads.restarts.emplace(operation.process, &operation);
        } else if (after_cut && operation.kind == EventKind::get) {
            reads.of_key[packed_key(operation)].push_back(&operation);
        } else if (!after_cut && operation.kind == EventKind::refresh && may_clear(operation)) {
            reads.refreshes[operation.bucket].push_back(static_cast<OpIndex>(op));
        }
    }
    if (reads.of_key.empty()) return reads;
    for (std::size_t number = 0; number < registers.size(); ++number) {
        const Operation& first = history.operations[registers.operations(number).front()];
        reads.registers.emplace(packed_key(first), number);
    }
    return reads;
}

/// One get after a cut.
struct CutRead {
    const Operation &cut, &restart, &get;

    /// Returns the operations that show a violation.
    [[nodiscard]] std::vector<Operation> shown_with(std::vector<Operation> others) const {
        others.insert(others.end(), {cut, restart, get});
        return others;
    }
};

void check_read(const JudgeContext& context, const KeyChanges& changes, const CutRead& read,
                const VersionWriters& writers) {
    const auto& [cut, restart, get] = read;
    if (get.outcome == OpOutcome::miss) {
        if (const Operation* put = changes.forbids_nothing(cut)) {
            context.violations.add(
                Violation::Kind::undone,
                fmt::format("{} finds nothing after power cut {}, although {} was made for power, "
                            "had ended before, and nothing may have removed its entry",
                            describe(get), cut.bucket, describe(*put)),
                read.shown_with({*put}));
        }
        return;
    }
    if (get.outcome != OpOutcome::ok) return;
    const auto writer = writers.find(get.version);
    const Operation* const put = writer ? &context.at(*writer) : nullptr;
    if (put == nullptr || packed_key(*put) != packed_key(get) || put->begin >= cut.end ||
        !may_write(*put)) {
        context.violations.add(
            Violation::Kind::foreign,
            fmt::format("{} finds, after power cut {}, a version that no operation had begun to "
                        "write there, or one that was not written",
                        describe(get), cut.bucket),
            read.shown_with(put == nullptr ? std::vector<Operation>{} : std::vector{*put}));
    } else if (const Operation* change = changes.forbids(*put, cut)) {
        context.violations.add(
            Violation::Kind::undone,
            fmt::format("{} finds, after power cut {}, what came before {}, which was made for "
                        "power and had ended before the cut",
                        describe(get), cut.bucket, describe(*change)),
            read.shown_with({*put, changes.proof_of(*put), *change}));
    }
}

}  // namespace

void check_cuts(const JudgeContext& context, const RegisterTable& registers,
                const VersionWriters& writers) {
    const CutReads reads = reads_of(context.history, registers);
    std::set<std::uint32_t> read_after;
    for (const auto& [key, gets] : reads.of_key) {
        const auto number = reads.registers.find(key);
        const auto refreshes = reads.refreshes.find(gets.front()->bucket);
        const KeyChanges changes(
            context,
            number == reads.registers.end() ? std::span<const OpIndex>{}
                                            : registers.operations(number->second),
            refreshes == reads.refreshes.end() ? std::span<const OpIndex>{} : refreshes->second);
        for (const Operation* get : gets) {
            const auto cut = reads.cuts.find(context.history.restarted.at(get->process));
            if (cut == reads.cuts.end()) continue;
            read_after.insert(cut->first);
            ++context.verdict.cut_reads;
            check_read(context, changes, {*cut->second, *reads.restarts.at(get->process), *get},
                       writers);
        }
    }
    context.verdict.cuts = read_after.size();
}

}  // namespace larder::stress
