// SPDX-License-Identifier: MIT
// All orders of the steps of two processes, or all with few preemptions.
#pragma once

#include <optional>

#include "duel.hpp"

namespace larder::testing {

struct Explored {
    std::uint64_t schedules = 0;
    unsigned steps[2] = {0, 0};           ///< the most that each process made
    std::optional<unsigned> preemptions;  ///< the bound; without one, all orders
};

/// Runs `pairing` in every order of its steps, where these are not more than `limit`; else in every order that has at most
/// `preemptions` preemptions: switches away from a process that could have gone on (Musuvathi and Qadeer, "Iterative Context
/// Bounding for Systematic Testing of Multithreaded Programs", 2007). Stateless: each order is run from the beginning. Throws
/// at the first that fails, with its word and its story.
[[nodiscard]] Explored explore(const ProgramPair& pairing, std::uint64_t limit,
                               unsigned preemptions);

/// Runs one order: a word over A and B. Where the word ends, or names one that can't go on, the other, or the same one, goes
/// on. Returns the story.
[[nodiscard]] std::string replay(const ProgramPair& pairing, const std::string& word);

}  // namespace larder::testing
