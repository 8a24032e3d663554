// SPDX-License-Identifier: MIT
// The life of one process of a run.
#pragma once

#include <cstdint>

#include "stress/board/board.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

enum class ProcessRole {
    worker,     ///< does the work of the scenario, and is struck by its faults
    collector,  ///< collects again and again, until it is killed
    metronome,  ///< measures how slow the machine is; no fault strikes it
    setup,      ///< prepares the cache before the others begin
    check,      ///< checks, after all others have ended, what they have left
    survivor,   ///< lives in the boot after a power cut, and checks what that has left
};

/// What a process of a run is for.
struct ProcessTask {
    ProcessRole role;
    std::uint32_t cut = 0;  ///< of a survivor: the number of the power cut
};

/// Lives the life of a process, and returns its exit code. Requires: the supervisor has forked this
/// process for it.
[[nodiscard]] int live(const RunSetting& setting, SharedBoard& board, ProcessSeat& seat,
                       const ProcessTask& task);

}  // namespace larder::stress
