// How slow the machine is while the run goes on: what a processor does in a moment takes minutes beside others' work of a
// higher priority, and says nothing about the cache.
#pragma once

#include <chrono>
#include <stress/board/board.hpp>

namespace larder::stress {

/// Works for ten milliseconds once a second, until the run ends, and keeps on the board by how much longer that took at the
/// worst.
void beat(Board& board);

/// How long something may have taken that needs a second of a processor, and waits for nobody.
[[nodiscard]] std::chrono::nanoseconds slowest_second(const Board& board);

}  // namespace larder::stress
