// SPDX-License-Identifier: MIT
// The life of one process of a run.
#pragma once

#include "stress/board/board.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

enum class ProcessRole {
    worker,     ///< does the scenario's work, and is struck by its faults
    collector,  ///< collects, again and again, until it is killed
    metronome,  ///< measures how slow the machine is; nothing strikes it
    setup,      ///< what must be there before the others begin
    check,      ///< looks, after all others have ended, at what they have left
};

/// Lives that life, and returns the exit code. Requires: a process forked for this, with the supervisor as its parent.
[[nodiscard]] int live(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat,
                       ProcessRole role);

}  // namespace larder::stress
