// SPDX-License-Identifier: MIT
// Whether the operations on one key can be put in an order: a sweep over time that keeps the set of states that are possible.
//
// The problem, once the values are folded away (model.hpp), is about one bit: the key is empty or full. A *letter* is something
// that takes effect at one instant of its interval:
//
//   fill    makes it full                                     a put that nobody read, or whose readers all met it at one
//   instant clear   makes it empty                                    a refresh take    finds it full and makes it empty a
//   remove that found an entry absent  finds it empty                                    a miss
//
// A *hold* is a fill at the instant `from`, after which nothing may change until `to`: a put that was read for so long.
// Fills and clears may be *certain* (they happened) or not (they may have).
//
// Linearizability (Herlihy and Wing, 1990) of registers is NP-complete in general (Gibbons and Korach, 1997), because values
// may be written twice; "empty" is. The sweep is just-in-time linearization (Lowe, "Testing for linearizability", 2017):
// nothing takes effect before something's interval ends. What makes it fast are the rules in sweep.cpp, which leave a handful
// of configurations at any time.
#pragma once

#include <cstdint>
#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

struct BitOp {
    enum class Kind : std::uint8_t { fill, clear, take, absent };
    Time from = 0;
    Time to = never;
    Kind kind = Kind::fill;
    bool certain = true;  ///< takes and absents always are
};

/// What must fit together on one key, which is empty at first.
struct BitHistory {
    std::vector<BitOp> ops;
    std::vector<Interval> holds;
};

/// Whether there is an order. Intervals include both their ends, so that two which touch may go either way. Exact.
/// Takes `puzzle` apart, and leaves it with its memory, for the next one.
[[nodiscard]] bool has_order(BitHistory& bits);

}  // namespace larder::stress
