// SPDX-License-Identifier: MIT
// Collects what the checks find.
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

    /// Counts a violation. Returns whether it is one of those that are to be explained.
    [[nodiscard]] bool count(Violation::Kind kind);
    /// Explains a violation. Requires: it was counted.
    void explain(Violation::Kind kind, std::string explanation, std::vector<Operation> operations);
    /// Counts a violation, and explains it if it is to be explained.
    void add(Violation::Kind kind, std::string explanation, std::vector<Operation> operations);

private:
    const History& history_;
    const JudgeOptions& options_;
    JudgeVerdict& verdict_;
};

/// Returns words such as "put of 0/7 (version 12) by process 3, thread 0".
[[nodiscard]] std::string describe(const Operation& operation);

}  // namespace larder::stress
