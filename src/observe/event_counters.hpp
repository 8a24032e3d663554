// SPDX-License-Identifier: MIT
// Counts a Cache's events. A forked child continues from its parent's counters, in its own memory.
#pragma once

#include <array>
#include <atomic>

#include "observe/listeners.hpp"

namespace larder::observe {

/// Adds events up. Thread-safe. A sum that is read while other threads count may lack what they
/// count just then.
class EventCounters final : public Listener {
public:
    void hear(const Event& event) override;
    /// Counts a get, which is no event.
    void count_get(bool hit) noexcept { count(hit ? Number::hits : Number::misses); }

    [[nodiscard]] Counters counters() const noexcept;

private:
    /// What is counted: the fields of Counters.
    enum class Number {
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
        waited,
        takeovers,
        repairs,
        reopened,
        end
    };
    /// Threads count in different cache lines, so that they do not wait for each other. 16 is
    /// arbitrary: one installer seldom uses more cores.
    static constexpr std::size_t shards = 16;
    struct alignas(64) Shard {
        std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Number::end)> numbers{};
    };

    /// Adds one to a number in this thread's shard.
    void count(Number number) noexcept;
    /// Adds to a number that may reach its bound, and stays there: see base::add.
    void count(Number number, std::uint64_t more) noexcept;
    [[nodiscard]] std::atomic<std::uint64_t>& number_of_this_thread(Number number) noexcept;
    /// Returns a number, added up over all shards.
    [[nodiscard]] std::uint64_t sum(Number number) const noexcept;

    std::array<Shard, shards> counters_{};
};

}  // namespace larder::observe
