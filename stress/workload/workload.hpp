// SPDX-License-Identifier: MIT
// A kind of work that a scenario names. It has the form of FoundationDB's workloads: setup, start,
// check.
#pragma once

#include <memory>
#include <string_view>

#include "stress/workload/recorded.hpp"

namespace larder::stress {

/// Each thread has workloads of its own. An error of the cache is not an error of a workload: it
/// goes into the history.
class Workload {
public:
    virtual ~Workload() = default;

    /// Prepares the cache. Called once in each thread of the first process, before all others
    /// begin.
    virtual void setup(Actor&) {}
    /// Does one operation, or a few that belong together. Called again and again, in many threads
    /// and processes at once.
    virtual void start(Actor&) = 0;
    /// Checks what is left. Called once, in a new process, after all others have ended. Each
    /// finding is a violation.
    virtual void check(Actor&) {}
};

/// Returns the workload of that name. Requires: one of work_names().
[[nodiscard]] std::unique_ptr<Workload> make_workload(std::string_view name);

// Each returns one of the workloads of its source; null for any other name.
[[nodiscard]] std::unique_ptr<Workload> make_writer(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_reader(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_keeper(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_forker(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_tool_user(std::string_view name);

}  // namespace larder::stress
