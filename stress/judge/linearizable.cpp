// SPDX-License-Identifier: MIT
#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "stress/judge/checks.hpp"
#include "stress/judge/explain.hpp"

namespace larder::stress {

namespace {

class RegisterCheck {
public:
    RegisterCheck(const JudgeContext& context, const RegisterTable& registers, std::size_t number,
                  const VersionWriters& writers)
        : context_(context),
          ops_(registers.operations(number)),
          writers_(writers),
          refreshes_(registers.refreshes(any().bucket)) {}

    void run() {
        add_writes();
        for (const OpIndex op : ops_) add(op);
        std::sort(instants_.begin(), instants_.end());
        instants_.erase(std::unique(instants_.begin(), instants_.end()), instants_.end());
        refreshes_.select(instants_, model_);
        BitHistory bits;
        if (!model_.has_order(bits)) explain_disorder(context_, model_);
    }

private:
    [[nodiscard]] const Operation& any() const { return context_.at(ops_.front()); }

    /// Returns when the operation may have written its version; nullopt if it can't have written.
    static std::optional<Interval> writing_of(const Operation& operation) {
        if (operation.outcome == OpOutcome::failed || operation.outcome == OpOutcome::busy)
            return std::nullopt;
        if (operation.kind == EventKind::put) return Interval{operation.begin, operation.end};
        if (operation.kind != EventKind::build || operation.middle == 0) return std::nullopt;
        // It writes after its middle, before which it found nothing.
        return Interval{std::min(operation.middle + 1, operation.end), operation.end};
    }

    void add_writes() {
        for (const OpIndex op : ops_) {
            const auto& operation = context_.at(op);
            const auto writing = writing_of(operation);
            if (!writing) continue;
            const bool certain =
                operation.outcome == OpOutcome::ok && operation.version == operation.intended;
            writes_.emplace_back(operation.intended,
                                 model_.add_write(writing->from, writing->to, certain, op));
            add_instants(*writing);
        }
        std::sort(writes_.begin(), writes_.end());
    }

    void add(OpIndex op) {
        const auto& operation = context_.at(op);
        const auto add_bit_op = [&](BitOp::Kind kind, Time to, bool certain) {
            model_.add({operation.begin, to, kind, certain}, op);
            add_instants({operation.begin, to});
        };
        switch (operation.kind) {
            case EventKind::get:
                if (operation.outcome == OpOutcome::ok) add_read(op);
                if (operation.outcome == OpOutcome::miss)
                    add_bit_op(BitOp::Kind::absent, operation.end, true);
                break;
            case EventKind::build:
                // A build that failed has found nothing before its middle, too.
                if (operation.middle != 0)
                    add_bit_op(BitOp::Kind::absent, operation.middle, true);
                else if (operation.outcome == OpOutcome::ok)
                    add_read(op);
                break;
            case EventKind::remove:
            case EventKind::evict:
                if (operation.outcome == OpOutcome::ok)
                    add_bit_op(BitOp::Kind::take, operation.end, true);
                if (operation.outcome == OpOutcome::miss)
                    add_bit_op(BitOp::Kind::absent, operation.end, true);
                // If it found nothing it changed nothing. So it is a clear that may have happened.
                if (operation.outcome == OpOutcome::unclear)
                    add_bit_op(BitOp::Kind::clear, operation.end, false);
                break;
            default:
                break;
        }
        if (operation.outcome == OpOutcome::unclear && is_change(operation.kind))
            ++context_.verdict.unclear;
    }

    static bool is_change(EventKind kind) {
        return kind == EventKind::put || kind == EventKind::build || kind == EventKind::remove ||
               kind == EventKind::evict;
    }

    void add_instants(const Interval& interval) {
        instants_.push_back(interval.from);
        instants_.push_back(interval.to);
    }

    void add_read(OpIndex op) {
        const auto& operation = context_.at(op);
        const auto write = std::lower_bound(writes_.begin(), writes_.end(),
                                            std::pair(operation.version, std::size_t{0}));
        if (write == writes_.end() || write->first != operation.version) return report_foreign(op);
        const auto writer = model_.source_of(write->second);
        if (operation.end < context_.at(writer).begin) return report_foreign(op);
        model_.add_read(write->second, operation.begin, operation.end, op);
        add_instants({operation.begin, operation.end});
    }

    void report_foreign(OpIndex op) {
        const auto& read = context_.at(op);
        if (!context_.violations.count(Violation::Kind::foreign)) return;
        const auto writer = writers_.find(read.version);
        std::vector<Operation> shown{read};
        const char* why = "that no operation began to write";
        if (writer) {
            const auto& write = context_.at(*writer);
            shown.push_back(write);
            if (write.bucket != read.bucket || write.key != read.key)
                why = "that was written under another key";
            else if (write.begin > read.end)
                why = "whose writing had not begun yet";
            else if (write.kind == EventKind::build && write.middle == 0)
                why = "that its build never wrote";
            else
                why = "whose writing had failed";
        }
        context_.violations.explain(
            Violation::Kind::foreign,
            fmt::format("{}/{}: {} read a version {}", read.bucket, read.key, describe(read), why),
            std::move(shown));
    }

    const JudgeContext& context_;
    std::span<const OpIndex> ops_;
    const VersionWriters& writers_;
    const ClearIndex& refreshes_;
    RegisterModel model_;
    std::vector<std::pair<Version, std::size_t>> writes_;
    std::vector<Time> instants_;
};

}  // namespace

void check_linearizable(const JudgeContext& context, const RegisterTable& registers,
                        std::size_t number, const VersionWriters& writers) {
    RegisterCheck(context, registers, number, writers).run();
}

}  // namespace larder::stress
