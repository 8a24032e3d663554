// SPDX-License-Identifier: MIT
// The checks, each in a file of its own.
#pragma once

#include "stress/judge/findings.hpp"
#include "stress/judge/registers.hpp"

namespace larder::stress {

struct Scene {
    const History& history;
    const JudgeOptions& options;
    Findings& findings;
    Verdict& verdict;

    [[nodiscard]] const Operation& at(Place place) const { return history.operations[place]; }
};

/// What was read is whole, and is what the operation's begin said.
void check_content(const Scene& scene);

/// The operations on one key have an order, and read nothing but what was written there.
void check_linearizable(const Scene& scene, const Registers& registers, std::size_t number,
                        const Writers& writers);

/// Of two builds of one key the second begins when the first is over, and only if something may have taken away what the first
/// made.
void check_built_once(const Scene& scene, const Registers& registers, std::size_t number);

/// No entry was evicted that was leased from before the collection began until after its eviction, or that was put after the collection had chosen.
void check_evictions(const Scene& scene, const Writers& writers);

/// Nothing waited for a process that did not hold it up, nor for one that need not be waited for.
void check_hostages(const Scene& scene);

}  // namespace larder::stress
