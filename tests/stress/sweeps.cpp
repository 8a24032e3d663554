// SPDX-License-Identifier: MIT
// Tests the sweep by itself, with more operations at once than a history of a key has, so that many
// configurations exist side by side.

#include <algorithm>
#include <cstdint>
#include <random>
#include <vector>

#include "catch.hpp"
#include "stress/judge/sweep.hpp"

using larder::stress::BitHistory;
using larder::stress::BitOp;
using larder::stress::has_order;
using larder::stress::Time;

namespace {

using Kind = BitOp::Kind;

/// Finds every set of operations with which some order can begin, and whether the key is full after
/// it. Returns whether a set with all operations that must happen is among them.
bool some_order_exists(const std::vector<BitOp>& ops) {
    const std::size_t sets = std::size_t{1} << ops.size();
    std::vector<char> reached(2 * sets, 0);
    reached[0] = 1;
    std::size_t must = 0;
    for (std::size_t i = 0; i < ops.size(); ++i) {
        const bool may_be_left_out =
            !ops[i].certain && (ops[i].kind == Kind::fill || ops[i].kind == Kind::clear);
        if (!may_be_left_out) must |= std::size_t{1} << i;
    }
    for (std::size_t set = 0; set < sets; ++set) {
        Time latest_begin = 0;
        for (std::size_t i = 0; i < ops.size(); ++i) {
            if ((set >> i & 1) != 0) latest_begin = std::max(latest_begin, ops[i].from);
        }
        for (const std::size_t full : {0U, 1U}) {
            if (reached[2 * set + full] == 0) continue;
            if ((set & must) == must) return true;
            for (std::size_t i = 0; i < ops.size(); ++i) {
                const auto& op = ops[i];
                if ((set >> i & 1) != 0 || op.to < latest_begin) continue;
                if (op.kind == Kind::take && full == 0) continue;
                if (op.kind == Kind::absent && full == 1) continue;
                reached[2 * (set | std::size_t{1} << i) + (op.kind == Kind::fill ? 1 : 0)] = 1;
            }
        }
    }
    return false;
}

std::vector<BitOp> random_ops(std::mt19937& random, std::size_t most, Time span, Time longest) {
    constexpr Kind kinds[] = {Kind::fill, Kind::fill, Kind::clear,
                              Kind::take, Kind::take, Kind::absent};
    std::vector<BitOp> ops(most / 2 + random() % (most / 2 + 1));
    for (auto& op : ops) {
        op.kind = kinds[random() % std::size(kinds)];
        op.from = random() % span;
        // Short intervals leave no choice, long ones leave every choice.
        op.to = op.from + random() % (random() % 2 == 0 ? 3 : longest);
        op.certain = op.kind == Kind::take || op.kind == Kind::absent || random() % 3 != 0;
    }
    return ops;
}

}  // namespace

TEST_CASE("the sweep agrees with a search of all sets of operations") {
    std::mt19937 random(4);
    std::size_t with = 0, without = 0;
    for (int i = 0; i < 20'000; ++i) {
        const auto ops = random_ops(random, 12, 20, 12);
        const bool order = some_order_exists(ops);
        ++(order ? with : without);
        BitHistory bits{ops, {}};
        if (has_order(bits) != order) {
            for (const auto& op : ops) {
                UNSCOPED_INFO("fcta"[static_cast<int>(op.kind)] << (op.certain ? "! " : "? ")
                                                                << op.from << ' ' << op.to);
            }
            FAIL("the search says " << order);
        }
    }
    CHECK(with > 2'000);
    CHECK(without > 2'000);
}

TEST_CASE(
    "of two configurations that have used equally many operations, the one that used the earlier "
    "ones is kept") {
    // Found by random search: it takes a dozen operations for rule 5 to matter in this way.
    const auto op = [](Kind kind, Time from, Time to, bool certain = true) {
        return BitOp{from, to, kind, certain};
    };
    constexpr bool maybe = false;
    const std::vector<BitOp> ops = {
        op(Kind::absent, 1, 1),        op(Kind::fill, 1, 1),   op(Kind::fill, 3, 11, maybe),
        op(Kind::fill, 4, 9),          op(Kind::clear, 5, 10), op(Kind::fill, 6, 7, maybe),
        op(Kind::clear, 7, 11, maybe), op(Kind::take, 10, 15), op(Kind::take, 11, 11),
        op(Kind::take, 14, 14),        op(Kind::fill, 15, 15), op(Kind::clear, 18, 26)};
    REQUIRE(some_order_exists(ops));
    BitHistory bits{ops, {}};
    CHECK(has_order(bits));
}
