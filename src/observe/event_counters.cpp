// SPDX-License-Identifier: MIT
#include "observe/event_counters.hpp"

#include <algorithm>

#include "base/saturate.hpp"

namespace larder::observe {

namespace {

// Every access to a counter is relaxed. The additions are atomic, so no count is lost. Their order
// among other memory accesses does not matter, because no thread reads other data because of what a
// counter says.

/// Returns the number of this thread. The threads of the process are numbered as they begin to
/// count, so that threads of about the same age have different shards.
std::size_t number_of_this_thread() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
}

/// Returns a sum of nanoseconds as a duration, whose largest value is half as large.
std::chrono::nanoseconds bounded_duration(std::uint64_t nanoseconds) noexcept {
    constexpr auto largest = static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count());
    return std::chrono::nanoseconds(std::min(nanoseconds, largest));
}

}  // namespace

std::atomic<std::uint64_t>& EventCounters::in_this_thread(Counter counter) noexcept {
    Shard& shard = shards_[number_of_this_thread() % shard_count];
    return shard.values[static_cast<std::size_t>(counter)];
}

void EventCounters::add_one(Counter counter) noexcept {
    // Nothing happens so often that this would overflow.
    in_this_thread(counter).fetch_add(1, std::memory_order_relaxed);
}

void EventCounters::add_amount(Counter counter, std::uint64_t amount) noexcept {
    base::add(in_this_thread(counter), amount);
}

void EventCounters::on_event(const Event& event) {
    switch (event.kind) {
        case Event::Kind::waiting:
            return;  // counted when the wait is over
        case Event::Kind::gave_up:
            add_one(Counter::given_up);
            [[fallthrough]];  // a wait that was given up is a wait, too
        case Event::Kind::waited: {
            add_one(Counter::waits);
            // The steady clock measures waits, so this is not negative. A negative time would
            // become a huge count.
            const auto took = std::max<std::int64_t>(event.took.count(), 0);
            return add_amount(Counter::waited, static_cast<std::uint64_t>(took));
        }
        case Event::Kind::published:
            return add_one(Counter::published);
        case Event::Kind::removed:
            return add_one(Counter::removed);
        case Event::Kind::refreshed:
            return add_one(Counter::refreshed);
        case Event::Kind::restored:
            return add_one(Counter::restored);
        case Event::Kind::evicted:
            add_one(Counter::evicted);
            return add_amount(Counter::evicted_bytes, event.bytes);
        case Event::Kind::collected:
            add_one(Counter::collections);
            add_amount(Counter::deleted, event.entries);
            return add_amount(Counter::deleted_bytes, event.bytes);
        case Event::Kind::takeover:
            return add_one(Counter::takeovers);
        case Event::Kind::repaired:
            return add_one(Counter::repairs);
        case Event::Kind::reopened:
            return add_one(Counter::reopened);
    }
}

std::uint64_t EventCounters::total(Counter counter) const noexcept {
    std::uint64_t total = 0;
    for (const Shard& shard : shards_) {
        const auto& value = shard.values[static_cast<std::size_t>(counter)];
        base::add(total, value.load(std::memory_order_relaxed));
    }
    return total;
}

Counters EventCounters::counters() const noexcept {
    return {.hits = total(Counter::hits),
            .misses = total(Counter::misses),
            .published = total(Counter::published),
            .removed = total(Counter::removed),
            .refreshed = total(Counter::refreshed),
            .restored = total(Counter::restored),
            .evicted = total(Counter::evicted),
            .evicted_bytes = total(Counter::evicted_bytes),
            .collections = total(Counter::collections),
            .deleted = total(Counter::deleted),
            .deleted_bytes = total(Counter::deleted_bytes),
            .waits = total(Counter::waits),
            .given_up = total(Counter::given_up),
            .waited = bounded_duration(total(Counter::waited)),
            .takeovers = total(Counter::takeovers),
            .repairs = total(Counter::repairs),
            .reopened = total(Counter::reopened)};
}

}  // namespace larder::observe
