// SPDX-License-Identifier: MIT
// The rules of the sweep. docs/judge.md proves each of them; the numbers are the same there.
//
// Words: an operation is *open* if it has begun and not ended. A change of the bit is a *flip*. A
// *demand* says that the key must be empty, or must be full, at some instant of an interval.
//
// (1) Flips and demands. Only flips matter. A take is a flip down that must be used. An absent is a
// demand that the key be empty. A clear is a flip down that may be used; if the clear is certain it
// is also a demand that the key be empty, since a certain clear that does not flip must find the
// key empty. A fill is the same the other way round: a flip up that may be used, and a demand that
// the key be full if the fill is certain.
//
// (2) Nothing happens inside a hold. If an operation begins inside a hold, its begin moves to the
// hold's end. If it ends inside a hold, its end moves to the hold's begin. An operation that lies
// inside a hold has no place. After that a hold is one instant: a flip up that is always available,
// and that costs nothing if the key is full already.
//
// (3) Earliest deadline first. A flip uses, among the open and unused operations of its kind, the
// one that ends first. In an order that uses another one the two can change places.
//
// (4) Laziness. Take an order with as few flips as possible, and delay each flip for as long as
// possible. Then all flips stand in short blocks: at the end of an operation, or just before a
// hold. The table lists all blocks; a cell lists the choices, and "nothing" is the empty block. A
// choice whose operation is not open and unused does not exist. "Unmet" means that the operation is
// certain (or an absent) and that its demand has not been met since it began.
//
//     what happens            the key is empty                 the key is full
//     ----------------------  -------------------------------  ----------------------------------
//     an absent ends          nothing                          if unmet: take, or clear
//                                                              otherwise: nothing
//     a clear ends, unused    nothing, or fill clear (F)       if unmet: take, or clear
//                                                              otherwise: nothing, or clear (e)
//     a fill ends, unused     if unmet: fill                   nothing, or take fill,
//                             otherwise: nothing, or fill (t)  or clear fill (E)
//     a take ends, unused     fill take                        take
//     a used operation ends   nothing                          nothing
//     a hold begins           hold                             nothing, or take hold,
//                                                              or clear hold (E)
//
//     (F) only if it meets a demand to be full that is open and not met yet
//     (E) only if it meets a demand to be empty that is open and not met yet
//     (e) only if a demand to be empty ends later
//     (t) only if a take ends later
//
// (5) Dominance. Of two configurations with the same bit and as many used takes, keep only the
// first if in it the key was the other way at the same time or later, and if for each open
// operation that the second has left unused the first has left one that ends no sooner. The first
// can do whatever the second can.
//
// tests/stress/brute_force.cpp and tests/stress/sweeps.cpp compare the answer with that of trying
// all orders.

#include "stress/judge/sweep.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace larder::stress {

namespace {

using BitOpIndex = std::uint32_t;
using MarkPosition = std::uint32_t;  ///< in the sequence of marks, counted from 1; 0 is before all

/// An instant at which an operation begins or ends, or at which a hold begins. At the same time
/// they come in this order.
struct SweepMark {
    enum class Kind : std::uint8_t { begin, end, hold };
    Time time;
    BitOpIndex op;
    Kind kind;
};

/// The open operations of one kind that are used: the position at which each ends, in order.
using UsedOps = std::vector<MarkPosition>;

struct Config {
    bool full = false;
    MarkPosition other = 0;  ///< when the key last was not as it is now; 0: never
    UsedOps fills, clears, takes;
};

/// All open operations of one kind, used or not, in the same form.
class PendingOps {
public:
    void add(MarkPosition due) {
        dues_.insert(std::upper_bound(dues_.begin(), dues_.end(), due), due);
    }
    /// Removes the operation that ends now, which is the first.
    void remove_first() { dues_.erase(dues_.begin()); }
    /// Returns the end of the operation that rule 3 uses; nullopt if all are used.
    [[nodiscard]] std::optional<MarkPosition> first_unused(const UsedOps& used) const {
        for (std::size_t i = 0; i < dues_.size(); ++i) {
            if (i == used.size() || dues_[i] != used[i]) return dues_[i];
        }
        return std::nullopt;
    }

private:
    std::vector<MarkPosition> dues_;
};

/// The open demands of one kind: where each began, in order.
class OpenDemands {
public:
    void add(MarkPosition begun) { begun_.push_back(begun); }
    void remove(MarkPosition begun) {
        begun_.erase(std::lower_bound(begun_.begin(), begun_.end(), begun));
    }
    /// Returns whether a demand is unmet if the key was as demanded at `position` for the last
    /// time. The demand that began last decides: if it is met, all are.
    [[nodiscard]] bool unmet(MarkPosition position) const {
        return !begun_.empty() && begun_.back() > position;
    }

private:
    std::vector<MarkPosition> begun_;
};

class BitSweep {
public:
    explicit BitSweep(BitHistory& bits) : ops_(bits.ops), holds_(bits.holds) {}

    bool run() {
        if (!fold_holds()) return false;
        place_marks();
        configs_.assign(1, {});
        for (const auto& mark : marks_) {
            ++now_;
            switch (mark.kind) {
                case SweepMark::Kind::begin:
                    begin(mark.op);
                    break;
                case SweepMark::Kind::end:
                    end(mark.op);
                    break;
                case SweepMark::Kind::hold:
                    step(&BitSweep::hold, 0);
                    break;
            }
            if (configs_.empty()) return false;
        }
        return true;
    }

private:
    using Kind = BitOp::Kind;

    /// Applies rule 2. Returns false if there is no order.
    bool fold_holds() {
        std::sort(holds_.begin(), holds_.end(),
                  [](const Interval& a, const Interval& b) { return a.from < b.from; });
        for (std::size_t i = 1; i < holds_.size(); ++i) {
            if (holds_[i].from < holds_[i - 1].to) return false;
        }
        std::size_t kept = 0;
        for (auto op : ops_) {
            // Returns the last hold that begins before `time`, or at it if `or_at`: only that one
            // can last at `time`.
            const auto lasting = [&](Time time, bool or_at) -> const Interval* {
                const auto after =
                    std::partition_point(holds_.begin(), holds_.end(), [&](const Interval& hold) {
                        return hold.from < time || (or_at && hold.from == time);
                    });
                return after == holds_.begin() ? nullptr : &*std::prev(after);
            };
            if (const auto* hold = lasting(op.from, false); hold != nullptr && op.from < hold->to)
                op.from = hold->to;
            if (const auto* hold = lasting(op.to, true); hold != nullptr && op.to < hold->to)
                op.to = hold->from;
            if (op.from <= op.to) {
                ops_[kept++] = op;
            } else if (is_demand(op)) {
                return false;
            }
        }
        ops_.resize(kept);
        return true;
    }

    static bool is_demand(const BitOp& op) {
        return op.certain || op.kind == Kind::take || op.kind == Kind::absent;
    }

    void place_marks() {
        marks_.reserve(2 * ops_.size() + holds_.size());
        for (BitOpIndex op = 0; op < ops_.size(); ++op) {
            marks_.push_back({ops_[op].from, op, SweepMark::Kind::begin});
            marks_.push_back({ops_[op].to, op, SweepMark::Kind::end});
            count(ops_[op], 1);
        }
        for (const auto& hold : holds_) marks_.push_back({hold.from, 0, SweepMark::Kind::hold});
        std::sort(marks_.begin(), marks_.end(), [](const SweepMark& a, const SweepMark& b) {
            return std::tie(a.time, a.kind, a.op) < std::tie(b.time, b.kind, b.op);
        });
        begun_.resize(ops_.size());
        due_.resize(ops_.size());
        for (std::size_t i = 0; i < marks_.size(); ++i) {
            if (marks_[i].kind == SweepMark::Kind::end)
                due_[marks_[i].op] = static_cast<MarkPosition>(i + 1);
        }
    }

    void count(const BitOp& op, std::size_t change) {
        if (op.kind == Kind::take) takes_to_come_ += change;
        if (op.kind == Kind::absent || (op.kind == Kind::clear && op.certain))
            absents_to_come_ += change;
    }

    void begin(BitOpIndex index) {
        const auto& op = ops_[index];
        begun_[index] = now_;
        switch (op.kind) {
            case Kind::fill:
                fills_.add(due_[index]);
                if (op.certain) to_be_full_.add(now_);
                break;
            case Kind::clear:
                clears_.add(due_[index]);
                if (op.certain) to_be_empty_.add(now_);
                break;
            case Kind::take:
                takes_.add(due_[index]);
                break;
            case Kind::absent:
                to_be_empty_.add(now_);
                break;
        }
    }

    void end(BitOpIndex index) {
        const auto& op = ops_[index];
        count(op, static_cast<std::size_t>(-1));
        switch (op.kind) {
            case Kind::fill:
                step(&BitSweep::end_fill, index);
                fills_.remove_first();
                if (op.certain) to_be_full_.remove(begun_[index]);
                break;
            case Kind::clear:
                step(&BitSweep::end_clear, index);
                clears_.remove_first();
                if (op.certain) to_be_empty_.remove(begun_[index]);
                break;
            case Kind::take:
                step(&BitSweep::end_take, index);
                takes_.remove_first();
                break;
            case Kind::absent:
                step(&BitSweep::end_absent, index);
                to_be_empty_.remove(begun_[index]);
                break;
        }
    }

    // Each of the following is a row of rule 4's table. It adds to next_ what `config` may become.

    void end_absent(Config& config, BitOpIndex index) {
        if (!config.full || config.other >= begun_[index]) return keep(config);
        if (const auto take = takes_.first_unused(config.takes))
            keep(used(flipped(config), &Config::takes, *take));
        if (const auto clear = clears_.first_unused(config.clears))
            keep(used(flipped(config), &Config::clears, *clear));
    }

    void end_clear(Config& config, BitOpIndex index) {
        if (forget(config.clears)) return keep(config);
        if (!config.full) {
            const auto fill =
                to_be_full_.unmet(config.other) ? fills_.first_unused(config.fills) : std::nullopt;
            if (fill) keep(used(touched(config), &Config::fills, *fill));
            return keep(config);
        }
        const bool unmet = ops_[index].certain && config.other < begun_[index];
        if (unmet) {
            if (const auto take = takes_.first_unused(config.takes))
                keep(used(flipped(config), &Config::takes, *take));
        }
        if (unmet || absents_to_come_ > 0) keep(flipped(config));
        if (!unmet) keep(config);
    }

    void end_fill(Config& config, BitOpIndex index) {
        if (forget(config.fills)) return keep(config);
        if (!config.full) {
            const bool unmet = ops_[index].certain && config.other < begun_[index];
            if (unmet || takes_to_come_ > 0) keep(flipped(config));
            if (!unmet) keep(config);
            return;
        }
        keep_after_down_and_up(config);
        keep(config);
    }

    void end_take(Config& config, BitOpIndex) {
        if (forget(config.takes)) return keep(config);
        if (config.full) return keep(flipped(config));
        if (const auto fill = fills_.first_unused(config.fills))
            keep(used(touched(config), &Config::fills, *fill));
    }

    void hold(Config& config, BitOpIndex) {
        if (!config.full) return keep(flipped(config));
        keep_after_down_and_up(config);
        keep(config);
    }

    /// Flips the key down, by a take or by a clear that meets a demand, and up again at once by the
    /// fill or hold of the row.
    void keep_after_down_and_up(const Config& config) {
        if (const auto take = takes_.first_unused(config.takes))
            keep(used(touched(config), &Config::takes, *take));
        const auto clear =
            to_be_empty_.unmet(config.other) ? clears_.first_unused(config.clears) : std::nullopt;
        if (clear) keep(used(touched(config), &Config::clears, *clear));
    }

    [[nodiscard]] Config flipped(Config config) const {
        config.full = !config.full;
        config.other = now_;
        return config;
    }
    /// Returns the configuration after two flips at this instant.
    [[nodiscard]] Config touched(Config config) const {
        config.other = now_;
        return config;
    }
    static Config used(Config config, UsedOps Config::*kind, MarkPosition due) {
        auto& all = config.*kind;
        all.insert(std::upper_bound(all.begin(), all.end(), due), due);
        return config;
    }
    /// Keeps the configuration for the next mark, unless rule 5 drops it.
    void keep(Config config) {
        for (const auto& better : next_) {
            if (dominates(better, config)) return;
        }
        std::erase_if(next_, [&](const Config& worse) { return dominates(config, worse); });
        next_.push_back(std::move(config));
    }
    /// Returns whether the operation that ends now was used, and removes it from the used ones.
    [[nodiscard]] bool forget(UsedOps& used) const {
        if (used.empty() || used.front() != now_) return false;
        used.erase(used.begin());
        return true;
    }

    void step(void (BitSweep::*move)(Config&, BitOpIndex), BitOpIndex op) {
        next_.clear();
        for (auto& config : configs_) (this->*move)(config, op);
        configs_.swap(next_);
    }

    /// Returns whether `config` can do whatever `than` can (rule 5).
    static bool dominates(const Config& config, const Config& than) {
        return config.full == than.full && config.other >= than.other &&
               config.takes.size() == than.takes.size() &&
               leaves_as_much(config.takes, than.takes) &&
               leaves_as_much(config.fills, than.fills) &&
               leaves_as_much(config.clears, than.clears);
    }

    /// Returns whether for each operation that is not in `than` there is one that is not in `used`
    /// and that ends no sooner. That is so if `used` has no more operations, and, compared from the
    /// latest end on, none that ends later.
    static bool leaves_as_much(const UsedOps& used, const UsedOps& than) {
        return used.size() <= than.size() &&
               std::equal(used.rbegin(), used.rend(), than.rbegin(),
                          [](MarkPosition mine, MarkPosition other) { return mine <= other; });
    }

    std::vector<BitOp>& ops_;
    std::vector<Interval>& holds_;
    std::vector<SweepMark> marks_;
    std::vector<MarkPosition> begun_, due_;  ///< of each operation: where it begins and ends
    std::vector<Config> configs_, next_;
    PendingOps fills_, clears_, takes_;
    OpenDemands to_be_full_, to_be_empty_;
    std::size_t takes_to_come_ = 0, absents_to_come_ = 0;
    MarkPosition now_ = 0;
};

}  // namespace

bool has_order(BitHistory& bits) { return BitSweep(bits).run(); }

}  // namespace larder::stress
