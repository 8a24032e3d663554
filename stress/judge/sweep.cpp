// SPDX-License-Identifier: MIT
// Why this is exact.
//
// (1) Flips. Only changes of the bit matter; call them flips. A certain clear may be put at any instant of its interval at
// which the key is empty, where it changes nothing; and if it is used to flip, the key is empty right after. So a certain clear
// is two things: an optional flip down, and the demand that the key be empty at some instant of its interval. Likewise a
// certain fill: an optional flip up, and the demand that the key be full at some instant (there a fill changes nothing). An
// absent is such a demand alone. A take is a flip down that must be used.
//
// (2) Nothing happens inside a hold. So what begins inside begins at its end, what ends inside ends before its beginning, and
// what does both has no place. After that a hold is one instant: a flip up that costs nothing and is always there.
//
// (3) Earliest deadline first. Of two unused letters of one kind that have both begun, use the one that ends first: in an order
// that uses them otherwise they can change places.
//
// (4) Laziness. In an order that has no flips too many, delay each flip until the end of an interval forces it: its own, or
// that of a demand which it meets; or until a hold. At such an instant only a short block of flips is left, since whatever
// could still be delayed, is, and two flips that undo each other are left out unless one is a take or the instant between them
// meets a demand:
//
//     ends               key empty                                            key full
//     absent, unmet      cannot be                                            take | clear
//     clear, unused      nothing | fill clear (for a demand to be full)       clear | nothing; if certain and unmet: take |
//     clear fill, unused       fill | nothing (not if certain and unmet)            nothing | take fill | clear fill (for a
//     demand to be empty) take, unused       fill take                                            take a hold begins      hold
//     hold | take hold | clear hold (for a demand to be empty)
//
// Letters in a block are the ones of rule 3. `fill` on a key that is empty keeps it full for takes to come, where no fill may
// be left; `clear` on a full one keeps it empty for absents to come; where none are to come, it is not tried.
//
// (5) Of two configurations with the same bit, the one in which the key was the other way more recently can do whatever the
// other can, if for each letter that the other has left it has one that ends no sooner; and of takes, which must be used, just
// as many.
//
// tests/stress/brute_force.cpp compares the answer with that of trying all orders.

#include "stress/judge/sweep.hpp"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <tuple>
#include <utility>

namespace larder::stress {

namespace {

using BitOpIndex = std::uint32_t;
using MarkPosition = std::uint32_t;  ///< in the sequence of marks; 0 is before all of them

/// Where something begins, ends, or is held, in the order in which these come at the same time.
struct SweepMark {
    enum class Kind : std::uint8_t { begin, end, hold };
    Time time;
    BitOpIndex op;
    Kind kind;
};

/// Letters of one kind that are used and whose intervals have not ended, each by the position of its end, in order.
using UsedOps = std::vector<MarkPosition>;

struct Config {
    bool full = false;
    MarkPosition other = 0;  ///< when the key was last the other way; 0: never
    UsedOps fills, clears, takes;
};

/// Letters of one kind that have begun and not ended, in the same way.
class PendingOps {
public:
    void add(MarkPosition due) {
        dues_.insert(std::upper_bound(dues_.begin(), dues_.end(), due), due);
    }
    /// What ends now is the first of them.
    void remove_first() { dues_.erase(dues_.begin()); }
    /// Rule 3.
    [[nodiscard]] std::optional<MarkPosition> first_unused(const UsedOps& used) const {
        for (std::size_t i = 0; i < dues_.size(); ++i) {
            if (i == used.size() || dues_[i] != used[i]) return dues_[i];
        }
        return std::nullopt;
    }

private:
    std::vector<MarkPosition> dues_;
};

/// Demands that have begun and not ended. Only the latest matters: whoever has met it has met them all.
class OpenDemands {
public:
    void add(MarkPosition begun) { begun_.push_back(begun); }
    void remove(MarkPosition begun) {
        begun_.erase(std::lower_bound(begun_.begin(), begun_.end(), begun));
    }
    /// Whether one is not met by the key having been as demanded, last, at `position`.
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

    /// Rule 2.
    bool fold_holds() {
        std::sort(holds_.begin(), holds_.end(),
                  [](const Interval& a, const Interval& b) { return a.from < b.from; });
        for (std::size_t i = 1; i < holds_.size(); ++i) {
            if (holds_[i].from < holds_[i - 1].to) return false;
        }
        std::size_t kept = 0;
        for (auto op : ops_) {
            // The hold that lasts at `time`, if any: the last one that begins before it, or at it.
            const auto lasting = [&](Time time, bool at_its_beginning) -> const Interval* {
                const auto after =
                    std::partition_point(holds_.begin(), holds_.end(), [&](const Interval& hold) {
                        return hold.from < time || (at_its_beginning && hold.from == time);
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

    // Each of these adds to next_ what `config` may become: the table of rule 4. A letter that ends is not used by what goes
    // on.

    void end_absent(Config& config, BitOpIndex index) {
        if (!config.full || config.other >= begun_[index]) return go_on(config);
        if (const auto take = takes_.first_unused(config.takes))
            go_on(used(flipped(config), &Config::takes, *take));
        if (const auto clear = clears_.first_unused(config.clears))
            go_on(used(flipped(config), &Config::clears, *clear));
    }

    void end_clear(Config& config, BitOpIndex index) {
        if (forget(config.clears)) return go_on(config);
        if (!config.full) {
            const auto fill =
                to_be_full_.unmet(config.other) ? fills_.first_unused(config.fills) : std::nullopt;
            if (fill) go_on(used(touched(config), &Config::fills, *fill));
            return go_on(config);
        }
        const bool unmet = ops_[index].certain && config.other < begun_[index];
        if (unmet) {
            if (const auto take = takes_.first_unused(config.takes))
                go_on(used(flipped(config), &Config::takes, *take));
        }
        if (unmet || absents_to_come_ > 0) go_on(flipped(config));
        if (!unmet) go_on(config);
    }

    void end_fill(Config& config, BitOpIndex index) {
        if (forget(config.fills)) return go_on(config);
        if (!config.full) {
            const bool unmet = ops_[index].certain && config.other < begun_[index];
            if (unmet || takes_to_come_ > 0) go_on(flipped(config));
            if (!unmet) go_on(config);
            return;
        }
        go_down_and_up(config);
        go_on(config);
    }

    void end_take(Config& config, BitOpIndex) {
        if (forget(config.takes)) return go_on(config);
        if (config.full) return go_on(flipped(config));
        if (const auto fill = fills_.first_unused(config.fills))
            go_on(used(touched(config), &Config::fills, *fill));
    }

    void hold(Config& config, BitOpIndex) {
        if (!config.full) return go_on(flipped(config));
        go_down_and_up(config);
        go_on(config);
    }

    /// Down by a take, or by a clear where that is of use, and up at once by whatever is at hand.
    void go_down_and_up(const Config& config) {
        if (const auto take = takes_.first_unused(config.takes))
            go_on(used(touched(config), &Config::takes, *take));
        const auto clear =
            to_be_empty_.unmet(config.other) ? clears_.first_unused(config.clears) : std::nullopt;
        if (clear) go_on(used(touched(config), &Config::clears, *clear));
    }

    [[nodiscard]] Config flipped(Config config) const {
        config.full = !config.full;
        config.other = now_;
        return config;
    }
    /// Flipped, and back at once.
    [[nodiscard]] Config touched(Config config) const {
        config.other = now_;
        return config;
    }
    static Config used(Config config, UsedOps Config::*kind, MarkPosition due) {
        auto& all = config.*kind;
        all.insert(std::upper_bound(all.begin(), all.end(), due), due);
        return config;
    }
    /// Rule 5.
    void go_on(Config config) {
        for (const auto& better : next_) {
            if (can_do_all_of(better, config)) return;
        }
        std::erase_if(next_, [&](const Config& worse) { return can_do_all_of(config, worse); });
        next_.push_back(std::move(config));
    }
    /// Whether what ends now was used.
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

    /// Rule 5.
    static bool can_do_all_of(const Config& config, const Config& than) {
        return config.full == than.full && config.other >= than.other &&
               config.takes.size() == than.takes.size() && leaves_more(config.takes, than.takes) &&
               leaves_more(config.fills, than.fills) && leaves_more(config.clears, than.clears);
    }

    /// Whether for each letter that `than` leaves unused `used` leaves one that ends no sooner: it has used no more, nor later
    /// ones.
    static bool leaves_more(const UsedOps& used, const UsedOps& than) {
        return used.size() <= than.size() &&
               std::equal(used.rbegin(), used.rend(), than.rbegin(),
                          [](MarkPosition mine, MarkPosition other) { return mine <= other; });
    }

    std::vector<BitOp>& ops_;
    std::vector<Interval>& holds_;
    std::vector<SweepMark> marks_;
    std::vector<MarkPosition> begun_, due_;  ///< of each letter: where it begins, and ends
    std::vector<Config> configs_, next_;
    PendingOps fills_, clears_, takes_;
    OpenDemands to_be_full_, to_be_empty_;
    std::size_t takes_to_come_ = 0, absents_to_come_ = 0;
    MarkPosition now_ = 0;
};

}  // namespace

bool has_order(BitHistory& bits) { return BitSweep(bits).run(); }

}  // namespace larder::stress
