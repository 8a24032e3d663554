// SPDX-License-Identifier: MIT
// What a run writes down: one Event before an operation, one after it, and one for each fault.
//
// An Event is 64 bytes, in the machine's byte order, and stands in a file that is mapped shared: it survives the death of its writer
// between any two instructions. `time` is written last, so that an Event whose time is zero was never finished and counts for nothing.
#pragma once

#include <cstdint>

namespace larder::stress {

enum class EventKind : std::uint8_t {
    // Operations: a begin, and an end unless the process died in between.
    put = 1,  ///< publish under a key, in place of whatever stood there
    get,      ///< lease
    build,    ///< get_or_build: its middle says that the caller's own build was called
    use,      ///< read every byte of a leased entry, some time after it was leased
    remove,
    refresh,  ///< of a whole bucket: `key` means nothing
    collect,
    list,
    verify,
    open,
    evict,  ///< a collection with limits takes the entry of a key, or leaves it: its middle says that it had chosen
    // What the supervisor does and sees, and the stops of everybody that the metronome notices: an instant each, with the
    // process concerned in `detail`, 0 for everybody.
    born = 64,
    ended,  ///< no effect of that process, or of a program that it had started, comes after this
    killed,
    stopped,
    continued,
};

/// Whether it is of one key, and not of a bucket or the cache.
[[nodiscard]] constexpr bool names_a_key(EventKind kind) noexcept {
    return kind <= EventKind::remove || kind == EventKind::evict;
}

enum class EventPhase : std::uint8_t { begin = 1, middle, end, instant };

/// How an operation ended. One without an end is unknown: it may have happened or not, between its begin and its process's `ended`.
enum class OpOutcome : std::uint8_t {
    none,  ///< of a begin, a middle or an instant
    ok,
    miss,    ///< there was no such entry
    busy,    ///< a lock was not had in time, or a collector was at work already
    failed,  ///< an error after which nothing has happened
    unclear,  ///< an error after which it may have happened or not, as when the program that did it was killed
    broken,  ///< what was read was torn, mixed, foreign or changed: a violation by itself
};

/// What a put wrote: a number that no other put of the run has. 0: nothing.
using Version = std::uint64_t;

struct LogEvent {
    std::uint64_t time =
        0;  ///< nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share and no one sets
    Version version =
        0;  ///< begin of put and build: what is to be written; end of put, get, build, use, evict: what was written, read or taken
    std::uint64_t detail =
        0;  ///< of an instant: the process concerned, or 0 for everybody; of an end: an errno or exit code; else 0
    std::uint32_t process =
        0;  ///< the number of the writing process in this run; 0 is the supervisor
    std::uint32_t operation =
        0;  ///< the same for all Events of one operation; counts from 1 in each thread
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    std::uint16_t thread = 0;  ///< the number of the writing thread in its process
    EventPhase phase = EventPhase::begin;
    EventKind kind = EventKind::put;
    OpOutcome outcome = OpOutcome::none;
    std::uint8_t reserved[19] = {};
};
static_assert(sizeof(LogEvent) == 64);

}  // namespace larder::stress
