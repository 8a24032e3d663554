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
    enum class Kind {
        /// A wait for a lock has lasted a second and continues: `what`, and `who` holds the lock.
        waiting,
        /// A wait for a lock has ended: `what`, `took`, and `who` held the lock if that is known. A
        /// lock that was free at once is no wait.
        waited,
        /// A wait was given up because its time had passed or it was stopped: `what`, `took`,
        /// `who`. A build continues without the lock.
        gave_up,
        published,  ///< `bucket`, `key`, `id`
        removed,    ///< `bucket`, `key`
        /// `bucket`. If only some keys were taken out: `what` is their pattern, and `entries` is
        /// their number.
        refreshed,
        restored,   ///< `id` of the new entry
        evicted,    ///< `bucket`, `key`, `id`, `bytes`; `what` is the limit
        collected,  ///< `entries` and `bytes` that a collection deleted, and how long it `took`
        takeover,   ///< this process has cleaned up after a dead one, `who`
        /// Something that broke an invariant was retired: `what`, and `bucket` and `key` if known.
        repaired,
        reopened,  ///< the root had been deleted or replaced, and was opened again
    };
    Kind kind;
    WallTime at{};  ///< when it happened
    std::string_view bucket{}, key{}, id{};
    std::string_view what{};  ///< "bucket wheels-v1", "build numpy-2.1.0"; "max-size"; for people
    std::string_view who{};   ///< "pid 4711 (uv pip install), for 3 s"; for people
    std::chrono::nanoseconds took{};  ///< how long it took
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
};

/// Returns the name of a kind: "waiting", …
[[nodiscard]] std::string_view name_of(Event::Kind kind) noexcept;

/// How often each event has happened since a Cache was opened, through it and its Buckets. No
/// number ever shrinks. The numbers are read one after the other, so an event during the call may
/// be counted in one of them and not yet in another.
struct Counters {
    std::uint64_t hits = 0;  ///< of gets; each get_or_build begins with a get
    std::uint64_t misses = 0;
    std::uint64_t published = 0;
    std::uint64_t removed = 0;
    std::uint64_t refreshed = 0;
    std::uint64_t restored = 0;
    std::uint64_t evicted = 0;
    std::uint64_t evicted_bytes = 0;
    std::uint64_t collections = 0;
    std::uint64_t deleted = 0;  ///< entries
    std::uint64_t deleted_bytes = 0;
    std::uint64_t waits = 0;     ///< for locks that were not free at once
    std::uint64_t given_up = 0;  ///< of these waits
    std::chrono::nanoseconds waited{};
    std::uint64_t takeovers = 0;
    std::uint64_t repairs = 0;
    std::uint64_t reopened = 0;
};

}  // namespace larder
