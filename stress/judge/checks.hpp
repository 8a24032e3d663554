// SPDX-License-Identifier: MIT
// The checks, each in a file of its own.
#pragma once

#include "stress/judge/registers.hpp"
#include "stress/judge/violation_log.hpp"

namespace larder::stress {

struct JudgeContext {
    const History& history;
    const JudgeOptions& options;
    ViolationLog& violations;
    JudgeVerdict& verdict;

    [[nodiscard]] const Operation& at(OpIndex op) const { return history.operations[op]; }
};

/// What was read is whole, and is what the operation's begin said.
void check_content(const JudgeContext& context);

/// The operations on one key have an order, and read nothing but what was written there.
void check_linearizable(const JudgeContext& context, const RegisterTable& registers,
                        std::size_t number, const VersionWriters& writers);

/// Of two builds of one key the second begins when the first is over, and only if something may have taken away what the first
/// made.
void check_built_once(const JudgeContext& context, const RegisterTable& registers,
                      std::size_t number);

/// No entry was evicted that was leased from before the collection began until after its eviction, or that was put after the collection had chosen.
void check_evictions(const JudgeContext& context, const VersionWriters& writers);

/// Nothing waited for a process that did not hold it up, nor for one that need not be waited for.
void check_hostages(const JudgeContext& context);

}  // namespace larder::stress
