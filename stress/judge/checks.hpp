// SPDX-License-Identifier: MIT
// The checks of a history. Each has a source of its own.
#pragma once

#include "stress/judge/registers.hpp"
#include "stress/judge/violation_log.hpp"

namespace larder::stress {

/// What every check works with.
struct JudgeContext {
    const History& history;
    const JudgeOptions& options;
    ViolationLog& violations;
    JudgeVerdict& verdict;

    [[nodiscard]] const Operation& at(OpIndex op) const { return history.operations[op]; }
};

/// Checks that every tree that was read was whole, and of the version that its operation was about.
void check_content(const JudgeContext& context);

/// Checks that the operations on one key have an order, and read only what was written there.
void check_linearizable(const JudgeContext& context, const RegisterTable& registers,
                        std::size_t number, const VersionWriters& writers);

/// Checks that of two builders of one key the second was called after the first was done, and only
/// if an operation may have removed what the first had made.
void check_built_once(const JudgeContext& context, const RegisterTable& registers,
                      std::size_t number);

/// Checks that no entry was evicted that was leased from before the eviction began until after it
/// had ended, or that was put after the collection had chosen.
void check_evictions(const JudgeContext& context, const VersionWriters& writers);

/// Checks that each power cut has left what it must leave: each change that was made for power and
/// had ended before the cut is there, or what came after it.
void check_cuts(const JudgeContext& context, const RegisterTable& registers,
                const VersionWriters& writers);

/// Checks that no operation took longer than it may, or gave up waiting although no other process
/// could have held it up.
void check_hostages(const JudgeContext& context);

}  // namespace larder::stress
