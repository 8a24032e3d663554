// SPDX-License-Identifier: MIT
// What a run writes down: an event before an operation, one after it, and one for each fault.
//
// An event is 64 bytes, in the machine's byte order, in a file that is mapped shared. So it
// survives the death of its writer between any two instructions. `time` is written last: an event
// whose time is zero was never finished, and does not count.
#pragma once

#include <cstdint>

namespace larder::stress {

enum class EventKind : std::uint8_t {
    // Operations. Each has a begin, and an end unless the process died in between.
    put = 1,  ///< publish under a key, in place of whatever stood there
    get,      ///< lease an entry
    build,    ///< get_or_build; its middle says that the caller's own builder was called
    use,      ///< read every byte of an entry that was leased before
    remove,
    refresh,  ///< of a whole bucket; `key` has no meaning
    collect,
    list,
    verify,
    open,
    evict,  ///< of one key, by a collection with limits; its middle: the collection has chosen
    /// The supervisor copies the disk at one instant, as a power cut would leave it. `bucket` is
    /// the number of the cut.
    cut,
    /// A process begins to live in the boot after a cut: all that it does from then on, it does to
    /// what the cut has left. `bucket` is the number of the cut.
    restart,
    /// The call with which a build by a claim begins. `busy`: another builds the key, and the build
    /// has failed.
    claim,
    // What the supervisor does and sees, and the stops of the whole machine that the metronome
    // sees. Each is an instant. The process concerned is in `detail`; 0 stands for all processes.
    born = 64,
    ended,  ///< after this, no effect comes of that process, nor of a program that it had started
    killed,
    stopped,
    continued,
};

/// Returns whether the operation is on one key, and not on a bucket or the cache.
[[nodiscard]] constexpr bool names_a_key(EventKind kind) noexcept {
    return kind <= EventKind::remove || kind == EventKind::evict || kind == EventKind::claim;
}

enum class EventPhase : std::uint8_t { begin = 1, middle, end, instant };

/// How an operation ended. An operation without an end is unclear: it may have happened, or not,
/// between its begin and the `ended` of its process.
enum class OpOutcome : std::uint8_t {
    none,  ///< of a begin, a middle or an instant
    ok,
    miss,     ///< there was no such entry
    busy,     ///< a lock was not acquired in time, or another collector was at work
    failed,   ///< an error after which nothing has happened
    unclear,  ///< an error after which it may have happened or not
    broken,   ///< what was read was torn, mixed, foreign or changed, which is a violation by itself
};

/// What a put wrote: a number that no other put of the run has. 0 stands for none.
using Version = std::uint64_t;

struct LogEvent {
    /// Nanoseconds of CLOCK_MONOTONIC, which all processes of a machine share and nothing sets.
    std::uint64_t time = 0;
    /// In the begin of a put or build: the version to be written. In the end of a put, get, build,
    /// use or evict: the version that was written, read or evicted.
    Version version = 0;
    /// In an instant: the process concerned, or 0 for all. In an end: the system's error number or
    /// an exit code.
    std::uint64_t detail = 0;
    /// The number of the writing process in this run. 0 is the supervisor.
    std::uint32_t process = 0;
    /// The same for all events of one operation. It counts from 1 in each thread.
    std::uint32_t operation = 0;
    std::uint32_t bucket = 0;
    std::uint32_t key = 0;
    std::uint16_t thread = 0;  ///< the number of the writing thread in its process
    EventPhase phase = EventPhase::begin;
    EventKind kind = EventKind::put;
    OpOutcome outcome = OpOutcome::none;
    /// In the begin of a change: whether it is to survive a power cut once it has ended ok.
    bool for_power = false;
    std::uint8_t reserved[18] = {};
};
static_assert(sizeof(LogEvent) == 64);

}  // namespace larder::stress
