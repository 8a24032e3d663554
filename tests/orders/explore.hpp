// SPDX-License-Identifier: MIT
// Runs two processes in all orders of their steps, or in all with few preemptions.
#pragma once

#include <optional>

#include "duel.hpp"

namespace larder::testing {

/// What was run.
struct Explored {
    std::uint64_t schedules = 0;
    unsigned steps[2] = {0, 0};           ///< the most that each process has made
    std::optional<unsigned> preemptions;  ///< the bound; nullopt: all orders were run
};

/// Runs `pairing` in every order of its steps if there are at most `limit` orders; otherwise in
/// every order with at most `preemptions` preemptions. A preemption is a switch away from a process
/// that could have gone on (Musuvathi and Qadeer, "Iterative Context Bounding for Systematic
/// Testing of Multithreaded Programs", 2007). Each order is run from the beginning. Throws at the
/// first order that fails, with its word and its story.
[[nodiscard]] Explored explore(const ProgramPair& pairing, std::uint64_t limit,
                               unsigned preemptions);

/// Runs one order, which is a word over A and B. If the word names a process that can't go on, the
/// other one does; after its end the last process does. Returns the story.
[[nodiscard]] std::string replay(const ProgramPair& pairing, const std::string& word);

}  // namespace larder::testing
