// SPDX-License-Identifier: MIT
// Decides whether operations on one bit fit in an order. The bit is a key: empty or full. See
// model.hpp for how the operations on a key become operations on a bit.
//
// Each operation has an interval, and takes effect at one instant of it:
//
//     kind     what it does               what it stands for
//     fill     makes the key full         a put that no get has read, or whose gets and put can all
//                                         have taken effect at one instant
//     clear    makes the key empty        a refresh
//     take     finds the key full and     a remove that found an entry
//              makes it empty
//     absent   finds the key empty        a miss
//
// Fills and clears are *certain* if they are known to have happened, and uncertain if they may
// have. A *hold* is a fill at the instant `from`, after which nothing changes the key until `to`: a
// put whose version was read at both instants.
//
// This is linearizability (Herlihy and Wing, 1990). For registers the question is NP-complete if a
// value may be written more than once (Gibbons and Korach, 1997), and "empty" is such a value. The
// sweep goes through the intervals in the order of time and keeps all states that are possible; no
// operation takes effect before the end of some interval makes it necessary (just-in-time
// linearization: Lowe, "Testing for Linearizability", 2017). Five rules in sweep.cpp keep the set
// of states small. docs/judge.md proves that the answer is exact.
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
    bool certain = true;  ///< always true for a take and an absent
};

/// The operations on one key, which is empty at first.
struct BitHistory {
    std::vector<BitOp> ops;
    std::vector<Interval> holds;
};

/// Returns whether the operations fit in an order. Both ends belong to an interval, so of two
/// operations whose intervals touch either may come first. Destroys the contents of `bits`; its
/// memory can be used for the next history.
[[nodiscard]] bool has_order(BitHistory& bits);

}  // namespace larder::stress
