// SPDX-License-Identifier: MIT
// How slow the machine and the disk are while the run goes on: what a processor does in a moment takes minutes beside others'
// work of a higher priority, what a disk does in a moment takes minutes where it is nearly full, and both say nothing about the
// cache.
#pragma once

#include <chrono>
#include <filesystem>

#include "stress/board/board.hpp"
#include "stress/history/log.hpp"

namespace larder::stress {

/// Twice a second, until the run ends: works for ten milliseconds, and keeps on the board by how much longer that took at the
/// worst; then changes a directory in `scratch`, of which it leaves nothing. A beat that took too long is written down as a
/// stop of everybody: see stall.hpp.
void beat(SharedBoard& board, HistoryLog& log, std::uint32_t process,
          const std::filesystem::path& scratch);

/// The longest that ten milliseconds of a processor took.
[[nodiscard]] std::chrono::nanoseconds slowest_work(const SharedBoard& board);

/// How long something may have taken that needs a second of a processor, and waits for nobody.
[[nodiscard]] std::chrono::nanoseconds slowest_second(const SharedBoard& board);

}  // namespace larder::stress
