// SPDX-License-Identifier: MIT
// Who wants to hear of what happens in a Cache: a callback, a file of lines, counters.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <optional>

#include <larder/event.hpp>

#include "observe/event_log.hpp"

namespace larder::observe {

/// A Cache that nobody observes has none, and pays for a look at a null pointer.
/// Fork: a child counts on from its parent's counters, in memory of its own, and shares the open file of lines.
class Observer {
public:
    Observer(std::function<void(const Event&)> on_event, std::optional<EventLog> log, bool counts);

    /// Counts it, writes its line and calls the callback; what that throws is dropped. A bucket's lock may not be held.
    void tell(Event event) noexcept;

    /// A get: counted, and no event.
    void count_get(bool hit) noexcept { count(hit ? Number::hits : Number::misses, 1); }

    [[nodiscard]] Counters counters() const noexcept;

private:
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
    /// Threads count in different cache lines, so that they do not wait for each other's. 16 is arbitrary: more than most machines' cores
    /// that one installer uses.
    static constexpr std::size_t shards = 16;
    struct alignas(64) Shard {
        std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Number::end)> numbers{};
    };

    void count(Number number, std::uint64_t more) noexcept;
    void count(const Event& event) noexcept;
    [[nodiscard]] std::uint64_t sum(Number number) const noexcept;

    std::function<void(const Event&)> on_event_;
    std::optional<EventLog> log_;
    bool counts_;
    std::array<Shard, shards> counters_{};
};

}  // namespace larder::observe
