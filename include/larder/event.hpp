// SPDX-License-Identifier: MIT
// What happens in a cache while a program uses it: one event at a time, and added up.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include <larder/report.hpp>

namespace larder {

/// Something that a call did, met or had to wait for. The texts last for as long as the callback that is given the event.
struct Event {
    enum class Kind {
        waiting,  ///< a wait for a lock has lasted a second and goes on: `what`, and `who` holds it
        waited,  ///< a wait that was not over at once is over: `what`, `took`, and `who` where that had been looked up
        gave_up,  ///< the same, but it was given up: its time had passed, or it was stopped; a build goes on without the lock
        published,  ///< `bucket`, `key`, `id`
        removed,    ///< `bucket`, `key`
        refreshed,  ///< `bucket`; of only some keys: `what` is their pattern, and `entries` how many went
        restored,  ///< `id` of the new entry
        evicted,   ///< `bucket`, `key`, `id`, `bytes`; `what` is the limit
        collected,  ///< a collection is done: `entries` and `bytes` that it deleted, and how long it `took`
        takeover,  ///< what a dead process, `who`, had left was cleaned up
        repaired,  ///< what broke an invariant was retired: `what`, as far as it is known `bucket` and `key`
        reopened,  ///< the cache's directory had been deleted or replaced, and was opened again
    };
    Kind kind;
    WallTime at{};
    std::string_view bucket{}, key{}, id{};
    std::string_view what{};  ///< "bucket wheels-v1", "build numpy-2.1.0"; "max-size"; for people
    std::string_view who{};   ///< "pid 4711 (uv pip install), for 3 s"; for people
    std::chrono::nanoseconds took{};
    std::uint64_t entries = 0;
    std::uint64_t bytes = 0;
};

[[nodiscard]] std::string_view name_of(Event::Kind kind) noexcept;

/// How often what has happened since a Cache was opened, through it and its Buckets. Each number only grows. They are read one after the other: what
/// happens meanwhile may be in one and not yet in another.
struct Counters {
    std::uint64_t hits = 0;    ///< gets, also the one with which a get_or_build begins
    std::uint64_t misses = 0;  ///< the same
    std::uint64_t published = 0;
    std::uint64_t removed = 0;
    std::uint64_t refreshed = 0;
    std::uint64_t restored = 0;
    std::uint64_t evicted = 0;
    std::uint64_t evicted_bytes = 0;
    std::uint64_t collections = 0;
    std::uint64_t deleted = 0;  ///< entries
    std::uint64_t deleted_bytes = 0;
    std::uint64_t waits = 0;     ///< for locks: those that were not over at once
    std::uint64_t given_up = 0;  ///< of those
    std::chrono::nanoseconds waited{};
    std::uint64_t takeovers = 0;
    std::uint64_t repairs = 0;
    std::uint64_t reopened = 0;
};

}  // namespace larder
