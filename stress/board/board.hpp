// SPDX-License-Identifier: MIT
// What all processes of a run share while it lasts: counters, in memory that is mapped shared
// before the first process is forked.
//
// Nothing here is judged; what is judged stands in the histories. Everything is an atomic word,
// since a process may be killed anywhere.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "stress/board/latency.hpp"
#include "stress/history/event.hpp"
#include "stress/system/shared_memory.hpp"

namespace larder::stress {

/// What a living process of the run and the supervisor tell each other.
struct ProcessSeat {
    enum State : std::uint32_t {
        empty,
        claimed,    ///< by the supervisor, or by a forked child, for a new process
        announced,  ///< a forked child has written its pid and number, and waits
        noticed,    ///< the supervisor has written down the birth: the process may begin
    };
    std::atomic<std::uint32_t> state;
    std::atomic<std::int32_t> pid;
    std::atomic<std::uint32_t> number;
    std::atomic<std::uint32_t> stop_ms;  ///< the process stops itself now, for so long
    std::atomic<std::int32_t> died_at;   ///< 1 + the point at which the process kills itself now
};

/// What happened at a named point of the protocol. Points are numbered in the order in which
/// processes met them first.
struct PointTally {
    std::array<std::atomic<char>, 40> name;
    std::atomic<std::uint32_t> named;
    std::atomic<std::uint64_t> seen, killed, stopped, forked;
    [[nodiscard]] std::string text() const;  ///< its name
};

/// Arbitrary: there are at most 256 processes at a time, and their forked children.
constexpr std::size_t max_seats = 1024;
constexpr std::size_t max_points = 96;  // there are about 70
constexpr std::size_t max_kinds = 16;   // of operations; see EventKind
constexpr std::size_t max_faults = 16;

struct SharedBoard {
    std::atomic<std::int32_t> supervisor;  ///< its pid
    std::atomic<std::uint32_t> processes;  ///< numbers given out so far
    std::atomic<bool> ending;              ///< every process is to finish its operation and end
    std::atomic<std::int64_t> operations_left;
    std::atomic<std::int64_t> clock_offset;  ///< nanoseconds that CLOCK_REALTIME is wrong by
    std::atomic<std::uint64_t> violations;
    /// How many times longer than it should pure computation took at the worst: see
    /// run/metronome.hpp.
    std::atomic<std::uint64_t> stretch;
    /// Nanoseconds in which the machine or the disk stood still: see run/metronome.hpp.
    std::atomic<std::uint64_t> stalled;
    std::atomic<std::uint64_t> longest_stall;                   ///< the longest such time
    std::atomic<std::uint64_t> torn;                            ///< entries, after power cuts
    std::array<LatencyHistogram, max_kinds> latencies;          ///< by EventKind
    std::array<std::atomic<std::uint64_t>, max_faults> faults;  ///< by the index in fault_names()
    std::array<PointTally, max_points> points;
    std::array<ProcessSeat, max_seats> seats;

    /// Returns the number of the point, and gives it one at the first time; nullopt if there are
    /// too many.
    std::optional<std::size_t> point_of(const char* name) noexcept;
    /// Returns a free seat, which is claimed now; null if there is none.
    ProcessSeat* claim_seat() noexcept;
    /// Returns the counter of a fault. Requires: one of fault_names().
    std::atomic<std::uint64_t>& tally_of(std::string_view fault) noexcept;
    /// Returns how many operations have ended.
    [[nodiscard]] std::uint64_t operations() const noexcept;
};

/// Makes a board that this process shares with every process that it forks from now on.
[[nodiscard]] SharedPointer<SharedBoard> make_board();

}  // namespace larder::stress
