// SPDX-License-Identifier: MIT
// A history as it is judged: whole operations, and what happened to the processes.
#pragma once

#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "stress/history/event.hpp"

namespace larder::stress {

using Time = std::uint64_t;  ///< nanoseconds of CLOCK_MONOTONIC
inline constexpr Time never = std::numeric_limits<Time>::max();

/// One operation, from its begin to its end. It has 64 bytes: ten million operations, which are
/// hours of a busy run, take 640 MB.
struct Operation {
    Time begin = 0;
    Time middle = 0;  ///< 0 if it had none
    /// If the process did not live to end it: the time after which nothing of that process had an
    /// effect.
    Time end = never;
    Version version = 0;   ///< what was written or read
    Version intended = 0;  ///< what its begin said
    std::uint32_t process = 0;
    std::uint32_t operation = 0;
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    std::uint16_t thread = 0;
    std::uint16_t detail = 0;  ///< an error number or exit code; 65535 stands for anything larger
    EventKind kind = EventKind::put;
    OpOutcome outcome = OpOutcome::unclear;
    bool finished = false;   ///< it has an end; if not, the outcome is unclear
    bool for_power = false;  ///< its begin says so
};
static_assert(sizeof(Operation) == 64);

struct Interval {
    Time from = 0;
    Time to = never;
};

/// What happened to one process.
struct ProcessLife {
    Time born = 0;
    Time killed = never;
    Time ended = never;
    std::vector<Interval> stopped;  ///< sorted; they do not overlap

    /// Returns the instant after which the process itself did nothing any more.
    [[nodiscard]] Time last() const noexcept { return killed < ended ? killed : ended; }
};

/// A fault, or the begin or end of a process.
struct ProcessIncident {
    Time time = 0;
    EventKind kind = EventKind::born;
    std::uint32_t process = 0;
};

/// All incidents of a run, by process. An incident of process 0 happened to all processes.
class ProcessIncidents {
public:
    void add(const ProcessIncident& incident) { all_.push_back(incident); }
    /// Sorts them, and makes a life of the incidents of each process. Requires: no more are added.
    void complete();

    /// Returns the life of a process. A process that no incident names lives forever.
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
    std::vector<Operation> operations;  ///< not sorted
    ProcessIncidents incidents;
    /// The processes that lived after a power cut, and the numbers of these cuts.
    std::unordered_map<std::uint32_t, std::uint32_t> restarted;
    Time last = 0;  ///< the latest time of any event
};

/// Returns whether events of this kind are instants, and not parts of an operation.
[[nodiscard]] constexpr bool is_instant(EventKind kind) noexcept { return kind >= EventKind::born; }

}  // namespace larder::stress
