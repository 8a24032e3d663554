// SPDX-License-Identifier: MIT
// A whole run: from an empty cache to a verdict.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <larder/error.hpp>

#include "stress/judge/verdict.hpp"
#include "stress/run/progress.hpp"
#include "stress/system/disk.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

/// How long a run lasts. If both are set, whichever comes first ends it.
struct RunExtent {
    std::optional<unsigned> seconds;
    std::optional<std::uint64_t> operations;
};

/// One check of the run: what it asserts, and what contradicts it.
struct RunCheck {
    std::string name;
    std::vector<std::string> findings;  ///< sentences, or timelines of several lines
    std::uint64_t found = 0;            ///< how many there are, told or not
};

struct RunOutcome {
    double seconds = 0;
    bool interrupted = false;
    std::uint64_t processes = 0;
    std::vector<RunCheck> checks;
    JudgeVerdict verdict;
    double held_up_seconds = 0;         ///< how long an operation that never waits might take
    std::vector<std::string> left_out;  ///< what was asked for but can't be done on this machine
    [[nodiscard]] std::uint64_t violations() const noexcept;
};

/// Runs the scenario, checks what is left, and judges. Errors: if it can't run, or can't be judged.
/// `disk` is the disk of the cache, if its power can be cut, and null otherwise.
[[nodiscard]] Result<RunOutcome> run(const RunSetting& setting, const RunExtent& extent,
                                     SharedBoard& board, RunProgress& progress, CutDisk* disk);

}  // namespace larder::stress
