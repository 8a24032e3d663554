// SPDX-License-Identifier: MIT
// What strikes a process at a named point of the protocol: it is killed there, stops there, or forks there.
#pragma once

#include <functional>

#include "stress/board/board.hpp"
#include "stress/random.hpp"
#include "stress/scenario/scenario.hpp"

namespace larder::stress {

/// Draws this process's fate by the shares of `point-kill`, `point-stop` and `point-fork`, and sees to it. Every point that is
/// met is counted on the board, fate or none. A fate prefers the points at which least has happened so far. `forked` is called
/// in a child that was forked at a point, on a thread of its own; the child ends when it returns.
void plan_points(const Scenario& scenario, SharedBoard& board, ProcessSeat& seat, Random& random,
                 std::function<void()> forked);

/// Nothing happens at points any more, in this process.
void forget_points();

}  // namespace larder::stress
