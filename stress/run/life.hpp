// SPDX-License-Identifier: MIT
// The life of one process of a run.
#pragma once

#include "stress/board/board.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

enum class ProcessRole {
    worker,     ///< does the work of the scenario, and is struck by its faults
    collector,  ///< collects again and again, until it is killed
    metronome,  ///< measures how slow the machine is; no fault strikes it
    setup,      ///< prepares the cache before the others begin
    check,      ///< checks, after all others have ended, what they have left
};

/// Lives the life of a process, and returns its exit code. Requires: the supervisor has forked this
/// process for it.
[[nodiscard]] int live(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat,
                       ProcessRole role);

}  // namespace larder::stress
