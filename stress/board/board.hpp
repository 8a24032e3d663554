// SPDX-License-Identifier: MIT
// What all processes of a run share while it goes on: counters in memory that is mapped shared before the first of them is
// forked.
//
// Nothing here is judged: what is judged stands in the histories. All of it is atomic words, since any process may be killed
// anywhere.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "stress/board/latency.hpp"
#include "stress/history/event.hpp"

namespace larder::stress {

/// One process of the run, as long as it lives: how it and the supervisor talk.
struct ProcessSeat {
    enum State : std::uint32_t {
        empty,
        claimed,    ///< by a forked child, which waits until the supervisor has noticed it
        announced,  ///< its pid and number are there
        noticed,    ///< the supervisor has written down its birth: it may begin
    };
    std::atomic<std::uint32_t> state;
    std::atomic<std::int32_t> pid;
    std::atomic<std::uint32_t> number;
    std::atomic<std::uint32_t> stop_ms;  ///< it stops itself now, for so long
    std::atomic<std::int32_t> died_at;   ///< the point at which it kills itself now, plus one
};

/// A named point of the protocol, in the order in which they were first met.
struct PointTally {
    std::array<std::atomic<char>, 40> name;
    std::atomic<std::uint32_t> named;
    std::atomic<std::uint64_t> seen, killed, stopped, forked;
    [[nodiscard]] std::string text() const;
};

constexpr std::size_t max_seats =
    1024;  // arbitrary: processes are 256 at most, and forked children come on top
constexpr std::size_t max_points = 96;  // there are about 45
constexpr std::size_t max_kinds = 16;   // operations of an Event
constexpr std::size_t max_faults = 16;

struct SharedBoard {
    std::atomic<std::int32_t> supervisor;  ///< its pid
    std::atomic<std::uint32_t> processes;  ///< numbers given out so far
    std::atomic<bool> ending;              ///< finish what you are at, and end
    std::atomic<std::int64_t> operations_left;
    std::atomic<std::int64_t> clock_offset;  ///< nanoseconds that CLOCK_REALTIME is wrong by
    std::atomic<std::uint64_t> violations;
    std::atomic<std::uint64_t>
        stretch;  ///< how many times longer than its work something took that only works: see run/metronome.hpp
    std::atomic<std::uint64_t>
        stalled;  ///< nanoseconds in which the machine or the disk stood still: likewise
    std::atomic<std::uint64_t> longest_stall;                   ///< at a time
    std::array<LatencyHistogram, max_kinds> latencies;          ///< by Kind
    std::array<std::atomic<std::uint64_t>, max_faults> faults;  ///< by the index in fault_names()
    std::array<PointTally, max_points> points;
    std::array<ProcessSeat, max_seats> seats;

    /// The number of `name` among the points; nothing where there are too many.
    std::optional<std::size_t> point_of(const char* name) noexcept;
    ProcessSeat* claim_seat() noexcept;  ///< null where none is free
    /// Requires: one of fault_names().
    std::atomic<std::uint64_t>& tally_of(std::string_view fault) noexcept;
    [[nodiscard]] std::uint64_t operations() const noexcept;
};

struct Unmap {
    void operator()(SharedBoard* board) const noexcept;
};
/// Shared with every process forked from now on.
[[nodiscard]] std::unique_ptr<SharedBoard, Unmap> make_board();

}  // namespace larder::stress
