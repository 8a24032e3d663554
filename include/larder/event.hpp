// SPDX-License-Identifier: MIT
// Events tell a program what happens in its cache; counters add them up.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <larder/report.hpp>

namespace larder {

/// Something that a call did, met or waited for. The texts are valid during the callback only.
struct Event {
    /// Each comment names the members that the kind fills in, beside `at`. The others are empty.
    enum class Kind {
        /// A wait for a lock has lasted a second and continues. `what` is the lock, and `who` is
        /// the process that holds it.
        waiting,
        /// A wait for a lock has ended, and `took` so long. `what` is the lock, and `who` is the
        /// process that held it, if that is known. A lock that was free at once is no wait.
        waited,
        /// A wait for a lock was given up, because its time had passed or because it was stopped.
        /// `what`, `who` and `took` are as above. A build continues without the lock.
        gave_up,
        published,  ///< an entry was published: `bucket`, `key`, `id`
        removed,    ///< a key was removed: `bucket`, `key`
        /// A bucket was refreshed: `bucket`. If only some of its keys were taken out, `what` is the
        /// pattern that they match, and `entries` is their number.
        refreshed,
        restored,   ///< an entry was restored; `id` is that of the new entry
        evicted,    ///< `bucket`, `key`, `id`, `bytes`; `what` is the limit
        collected,  ///< a collection has deleted `entries` with `bytes`, and `took` so long
        takeover,   ///< this process has cleaned up after a dead one, `who`
        /// Something that broke an invariant was retired: `what`, and `bucket` and `key` if known.
        repaired,
        reopened,  ///< the root had been deleted or replaced, and was opened again
    };
    Kind kind;
    WallTime at{};  ///< when it happened
    std::string_view bucket{}, key{}, id{};
    std::string_view what{};  ///< for people: "bucket wheels-v1", "build numpy-2.1.0", "max-size"
    std::string_view who{};   ///< for people: "pid 4711 (uv pip install), for 3 s"
    std::chrono::nanoseconds took{};
    std::uint64_t entries = 0;  ///< a number of entries or keys
    std::uint64_t bytes = 0;    ///< the sizes of entries, added up
};

/// Returns the name of a kind: "waiting", "waited" and so on.
[[nodiscard]] std::string_view name_of(Event::Kind kind) noexcept;

/// How often each event has happened since a Cache was opened, through it and its Buckets. No
/// number ever shrinks. The numbers are read one after the other, so an event during the call may
/// be counted in one of them and not yet in another.
struct Counters {
    std::uint64_t hits = 0;           ///< gets that found the entry; get_or_build begins with a get
    std::uint64_t misses = 0;         ///< gets that found none
    std::uint64_t published = 0;      ///< entries that were published, those of builds included
    std::uint64_t removed = 0;        ///< keys that were removed
    std::uint64_t refreshed = 0;      ///< calls that refreshed a bucket, or some of its keys
    std::uint64_t restored = 0;       ///< entries that were restored
    std::uint64_t evicted = 0;        ///< entries that a limit or a plan took
    std::uint64_t evicted_bytes = 0;  ///< of these entries, by their records
    std::uint64_t collections = 0;    ///< collections that have ended
    std::uint64_t deleted = 0;        ///< entries that collections deleted
    std::uint64_t deleted_bytes = 0;  ///< of these entries, by their records
    std::uint64_t waits = 0;          ///< waits for locks that were not free at once
    std::uint64_t given_up = 0;       ///< of these waits, those that ended without the lock
    std::chrono::nanoseconds waited{};  ///< how long all these waits took
    std::uint64_t takeovers = 0;        ///< dead processes after which this process cleaned up
    std::uint64_t repairs = 0;          ///< things that broke an invariant and were retired
    std::uint64_t reopened = 0;         ///< times that the root was opened again
};

}  // namespace larder
