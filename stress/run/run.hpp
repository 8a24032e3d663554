// SPDX-License-Identifier: MIT
// A whole run: from an empty cache to what is to be said about it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <larder/error.hpp>

#include "stress/judge/verdict.hpp"
#include "stress/run/progress.hpp"
#include "stress/workload/setting.hpp"

namespace larder::stress {

/// How long a run goes on, whichever comes first.
struct RunExtent {
    std::optional<unsigned> seconds;
    std::optional<std::uint64_t> operations;
};

/// One check of the run: what it asserts, and by what it was refuted.
struct RunCheck {
    std::string name;
    std::vector<std::string> findings;  ///< sentences, or timelines of several lines
    std::uint64_t found = 0;            ///< those that are not told included
};

struct RunOutcome {
    double seconds = 0;
    bool interrupted = false;
    std::uint64_t processes = 0;
    std::vector<RunCheck> checks;
    JudgeVerdict verdict;
    double held_up_seconds = 0;  ///< what an operation was allowed to take that waits for nobody
    std::vector<std::string> left_out;  ///< what was asked for and could not be done here
    [[nodiscard]] std::uint64_t violations() const noexcept;
};

/// Runs the scenario, then looks at what is left, and judges.
/// Errors: where there can be no run at all, or no judgement.
[[nodiscard]] Result<RunOutcome> run(const RunSetting& setting, const RunExtent& extent,
                                     SharedBoard& board, RunProgress& progress);

}  // namespace larder::stress
