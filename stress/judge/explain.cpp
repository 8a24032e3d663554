// SPDX-License-Identifier: MIT
#include "stress/judge/explain.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "stress/judge/shrink.hpp"

namespace larder::stress {

namespace {

class ConflictReport {
public:
    ConflictReport(const JudgeContext& context, const RegisterModel& model,
                   std::vector<RegisterModel::Demand> demands)
        : context_(context), model_(model), demands_(std::move(demands)), kind_(find_kind()) {}

    [[nodiscard]] Violation::Kind kind() const { return kind_; }

    [[nodiscard]] std::string words() const {
        std::string finder, reader, other;
        for (const auto& demand : demands_) {
            const auto& operation = context_.at(demand.source);
            (is_absent(demand)                   ? finder
             : demand.kind == Demand::Kind::read ? reader
                                                 : other) = describe(operation);
        }
        const auto key = name_of_key();
        switch (kind_) {
            case Violation::Kind::lost:
                return fmt::format(
                    "{}: {} found nothing, although the version was there (acknowledged or read) "
                    "and no operation that may have removed it had begun in time",
                    key, finder);
            case Violation::Kind::stale:
                if (other.empty())
                    return fmt::format(
                        "{}: {} read a version that had been seen replaced before the read began",
                        key, reader);
                return fmt::format(
                    "{}: {} read a version that was gone before the read began: after {}", key,
                    reader, other);
            default:
                return fmt::format(
                    "{}: no order explains these {} operation{}, although each must have taken "
                    "effect at an instant between its begin and its end",
                    key, demands_.size(), demands_.size() == 1 ? "" : "s");
        }
    }

    /// Returns the operations of the conflict, the writes of what they read, and the changes nearby
    /// that a reader would suspect to explain it, and that do not.
    [[nodiscard]] std::vector<Operation> operations() const {
        std::set<OpIndex> ops;
        Time from = never, to = 0;
        for (const auto& demand : demands_) {
            ops.insert(demand.source);
            if (demand.kind == Demand::Kind::read) ops.insert(model_.source_of_read(demand.index));
            from = std::min(from, demand.from);
            to = std::max(to, demand.to);
        }
        const auto suspects = suspects_between(from, to);
        ops.insert(suspects.begin(), suspects.end());
        if (const auto before = model_.last_change_before(from)) ops.insert(*before);
        std::vector<Operation> shown;
        shown.reserve(ops.size());
        for (const OpIndex op : ops) shown.push_back(context_.at(op));
        return shown;
    }

private:
    using Demand = RegisterModel::Demand;

    [[nodiscard]] bool is_absent(const Demand& demand) const {
        return demand.kind == Demand::Kind::op &&
               model_.op(demand.index).kind == BitOp::Kind::absent;
    }

    [[nodiscard]] std::string name_of_key() const {
        // Refreshes alone contradict nothing, so one of the operations is of a key.
        const auto found =
            std::find_if(demands_.begin(), demands_.end(), [&](const Demand& demand) {
                return context_.at(demand.source).kind != EventKind::refresh;
            });
        const auto& operation = context_.at(found->source);
        return fmt::format("{}/{}", operation.bucket, operation.key);
    }

    [[nodiscard]] Violation::Kind find_kind() const {
        std::set<Version> versions;
        std::size_t reads = 0, absents = 0, takings = 0;
        for (const auto& demand : demands_) {
            if (demand.kind == Demand::Kind::op) {
                ++(is_absent(demand) ? absents : takings);
            } else {
                reads += demand.kind == Demand::Kind::read ? 1 : 0;
                versions.insert(context_.at(demand.source).version);
            }
        }
        if (absents > 0 && takings == 0 && !versions.empty()) return Violation::Kind::lost;
        if (absents == 0 && reads > 0 && (takings > 0 || versions.size() > 1))
            return Violation::Kind::stale;
        return Violation::Kind::disorder;
    }

    [[nodiscard]] std::vector<OpIndex> suspects_between(Time from, Time to) const {
        constexpr std::size_t most = 8;  // arbitrary, since all have to fit on a page
        // Nothing brings back a version that is gone, so no change could explain a stale read.
        if (kind_ == Violation::Kind::stale) return {};
        auto suspects = model_.changes_between(from, to);
        // Only a removal could have hidden a version that is there.
        if (kind_ == Violation::Kind::lost) {
            std::erase_if(suspects, [&](OpIndex op) {
                const EventKind kind = context_.at(op).kind;
                return kind != EventKind::remove && kind != EventKind::evict &&
                       kind != EventKind::refresh;
            });
        }
        const auto distance = [&](OpIndex op) {
            const Time begin = context_.at(op).begin;
            return begin > to ? begin - to : to - begin;
        };
        std::sort(suspects.begin(), suspects.end(),
                  [&](OpIndex a, OpIndex b) { return distance(a) < distance(b); });
        suspects.resize(std::min(suspects.size(), most));
        return suspects;
    }

    const JudgeContext& context_;
    const RegisterModel& model_;
    std::vector<Demand> demands_;
    Violation::Kind kind_;
};

}  // namespace

void explain_disorder(const JudgeContext& context, RegisterModel& model) {
    const ConflictReport conflict(context, model, smallest_conflict(model));
    if (context.violations.count(conflict.kind()))
        context.violations.explain(conflict.kind(), conflict.words(), conflict.operations());
}

}  // namespace larder::stress
