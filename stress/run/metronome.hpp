// SPDX-License-Identifier: MIT
// Measures how slow the machine and the disk are while the run lasts. Beside work of a higher
// priority a moment of computation can take minutes, and so can a write to a disk that is nearly
// full. Neither says anything about the cache.
#pragma once

#include <chrono>
#include <filesystem>

#include "stress/board/board.hpp"
#include "stress/history/log.hpp"

namespace larder::stress {

/// Beats twice a second until the run ends. A beat computes for ten milliseconds, and notes on the
/// board how many times longer that took at the worst. Then it changes a directory in `scratch`,
/// and leaves nothing of it. If a beat takes too long it is written down as a stop of all
/// processes: see stall.hpp.
void beat(SharedBoard& board, HistoryLog& log, std::uint32_t process,
          const std::filesystem::path& scratch);

/// Returns the longest time that ten milliseconds of computation took.
[[nodiscard]] std::chrono::nanoseconds slowest_work(const SharedBoard& board);

/// Returns how long a second of computation may have taken.
[[nodiscard]] std::chrono::nanoseconds slowest_second(const SharedBoard& board);

}  // namespace larder::stress
