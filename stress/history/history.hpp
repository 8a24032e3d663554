// SPDX-License-Identifier: MIT
// A history as it is judged: each operation whole, and what befell the processes.
#pragma once

#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "stress/history/event.hpp"

namespace larder::stress {

using Time = std::uint64_t;  ///< nanoseconds of CLOCK_MONOTONIC
inline constexpr Time never = std::numeric_limits<Time>::max();

/// One operation, from its begin to its end. 64 bytes: ten million of them, which is hours of a busy run, are 640 MB.
struct Operation {
    Time begin = 0;
    Time middle = 0;  ///< 0: it had none
    /// Of one that its process did not live to end: when nothing of that process could have any effect any more.
    Time end = never;
    Version version = 0;   ///< what was written or read
    Version intended = 0;  ///< what its begin said
    std::uint32_t process = 0;
    std::uint32_t operation = 0;
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    std::uint16_t thread = 0;
    std::uint16_t detail = 0;  ///< an errno or an exit code; 65535 stands for anything larger
    EventKind kind = EventKind::put;
    OpOutcome outcome = OpOutcome::unclear;
    bool finished = false;  ///< there is an end; otherwise the outcome is unclear
};
static_assert(sizeof(Operation) == 64);

struct Interval {
    Time from = 0;
    Time to = never;
};

/// What befell one process.
struct ProcessLife {
    Time born = 0;
    Time killed = never;
    Time ended = never;
    std::vector<Interval> stopped;  ///< in order, apart from each other

    /// After this instant it did nothing any more of its own accord.
    [[nodiscard]] Time last() const noexcept { return killed < ended ? killed : ended; }
};

struct ProcessIncident {
    Time time = 0;
    EventKind kind = EventKind::born;
    std::uint32_t process = 0;
};

/// The faults, and the beginnings and ends of processes. Where an Incident names process 0, everybody was meant.
class ProcessIncidents {
public:
    void add(const ProcessIncident& incident) { all_.push_back(incident); }
    /// Puts them in order. Requires: no more are added.
    void complete();

    /// Of a process that no Incident names: it lives for ever.
    [[nodiscard]] const ProcessLife& of(std::uint32_t process) const noexcept;
    [[nodiscard]] const std::vector<ProcessIncident>& all() const noexcept { return all_; }
    [[nodiscard]] const std::unordered_map<std::uint32_t, ProcessLife>& lives() const noexcept {
        return lives_;
    }

private:
    std::vector<ProcessIncident> all_;
    std::unordered_map<std::uint32_t, ProcessLife> lives_;
};

struct History {
    std::vector<Operation> operations;  ///< in no order
    ProcessIncidents incidents;
    Time last = 0;  ///< the latest time that any Event has
};

[[nodiscard]] constexpr bool is_instant(EventKind kind) noexcept { return kind >= EventKind::born; }

}  // namespace larder::stress
