// SPDX-License-Identifier: MIT
// Counts a Cache's events. A forked child continues from its parent's counters, in its own memory.
#pragma once

#include <array>
#include <atomic>

#include "observe/listeners.hpp"

namespace larder::observe {

/// Adds events up. Thread-safe, without a lock: each thread counts in a shard, and a reader adds up
/// all shards. A reader may miss what other threads count just then.
class EventCounters final : public Listener {
public:
    /// Counts the event under its kind, with what it says of entries, bytes and time. An event that
    /// says that a wait goes on counts for nothing: another one follows when the wait is over.
    void on_event(const Event& event) override;
    /// Counts a get, which is no event.
    void count_get(bool hit) noexcept { add_one(hit ? Counter::hits : Counter::misses); }

    /// Returns the counters as they are now. They are read one by one, so two of them may be of
    /// slightly different moments.
    [[nodiscard]] Counters counters() const noexcept;

private:
    /// One for each field of Counters, with the field's name. The function counters() copies each
    /// of them.
    enum class Counter {
        hits,
        misses,
        published,
        removed,
        refreshed,
        restored,
        evicted,
        evicted_bytes,
        collections,
        deleted,
        deleted_bytes,
        waits,
        given_up,
        waited,  // in nanoseconds
        takeovers,
        repairs,
        reopened,
    };
    static constexpr std::size_t counters_in_shard =
        static_cast<std::size_t>(Counter::reopened) + 1;
    static_assert(sizeof(Counters) == counters_in_shard * sizeof(std::uint64_t),
                  "Counters has a field that is not in Counter, and so is never counted");

    /// Threads count in different cache lines, so that they do not wait for each other. 16 is
    /// arbitrary: one installer seldom uses more cores.
    static constexpr std::size_t shard_count = 16;
    struct alignas(64) Shard {
        std::array<std::atomic<std::uint64_t>, counters_in_shard> values{};
    };

    void add_one(Counter counter) noexcept;
    /// Adds an amount that comes from outside, such as the size in a record. The counter stays at
    /// its largest value if it would pass that.
    void add_amount(Counter counter, std::uint64_t amount) noexcept;
    /// Returns the counter in this thread's shard. Another thread may count there too.
    [[nodiscard]] std::atomic<std::uint64_t>& in_this_thread(Counter counter) noexcept;
    /// Returns the counter, added up over all shards; the largest number if the sum passes that.
    [[nodiscard]] std::uint64_t total(Counter counter) const noexcept;

    std::array<Shard, shard_count> shards_{};
};

}  // namespace larder::observe
