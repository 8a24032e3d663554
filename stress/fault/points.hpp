// SPDX-License-Identifier: MIT
// Faults that strike a process at a named point of the protocol: it is killed, stopped or forked
// there.
#pragma once

#include <functional>

#include "stress/board/board.hpp"
#include "stress/random.hpp"
#include "stress/scenario/scenario.hpp"

namespace larder::stress {

/// Draws the fate of this process by the shares of `point-kill`, `point-stop` and `point-fork`, and
/// lets it happen. Points at which least has happened so far are preferred. Every point that the
/// process meets is counted on the board, whatever its fate. `forked` is called in a child that is
/// forked at a point, on a thread of its own; the child ends when `forked` returns.
/// `without_exchange` lets each rename fail that exchanges two names, or that never replaces one,
/// as on a file system that has neither.
void plan_points(const Scenario& scenario, SharedBoard& board, ProcessSeat& seat, Random& random,
                 std::function<void()> forked, bool without_exchange);

/// Lets nothing happen at points any more in this process.
void forget_points();

/// Lets this process live in a later boot of the machine, as larder sees it. Nothing happens at
/// other points.
void live_in_later_boot();

}  // namespace larder::stress
