// SPDX-License-Identifier: MIT
// What the checks have found so far.
#pragma once

#include <string>
#include <vector>

#include "stress/history/history.hpp"
#include "stress/judge/verdict.hpp"

namespace larder::stress {

class ViolationLog {
public:
    ViolationLog(const History& history, const JudgeOptions& options, JudgeVerdict& verdict)
        : history_(history), options_(options), verdict_(verdict) {}

    /// Counts one, and says whether it is worth explaining.
    [[nodiscard]] bool count(Violation::Kind kind);
    /// Requires: it was counted.
    void explain(Violation::Kind kind, std::string explanation, std::vector<Operation> operations);
    void add(Violation::Kind kind, std::string explanation, std::vector<Operation> operations);

private:
    const History& history_;
    const JudgeOptions& options_;
    JudgeVerdict& verdict_;
};

/// "process 3, thread 0: put of 0/7 (version 12)".
[[nodiscard]] std::string describe(const Operation& operation);

}  // namespace larder::stress
