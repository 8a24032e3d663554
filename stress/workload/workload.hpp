// SPDX-License-Identifier: MIT
// A kind of work that a scenario names: in the shape of FoundationDB's workloads.
#pragma once

#include <memory>
#include <string_view>

#include "stress/workload/recorded.hpp"

namespace larder::stress {

/// Each thread has workloads of its own. Errors of the cache are no errors of a workload: they go into the history.
class Workload {
public:
    virtual ~Workload() = default;

    /// In the first process of the run, before all others begin: once in each of its threads.
    virtual void setup(Actor&) {}
    /// One operation, or a few that belong together; again and again, in many threads and processes at once.
    virtual void start(Actor&) = 0;
    /// Once, in a fresh process, after all others have ended: what is still there is what should be. A finding is a violation.
    virtual void check(Actor&) {}
};

/// Requires: one of work_names().
[[nodiscard]] std::unique_ptr<Workload> make_workload(std::string_view name);

// By room: each makes its own, or null.
[[nodiscard]] std::unique_ptr<Workload> make_writer(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_reader(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_keeper(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_forker(std::string_view name);
[[nodiscard]] std::unique_ptr<Workload> make_tool_user(std::string_view name);

}  // namespace larder::stress
