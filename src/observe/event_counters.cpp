// SPDX-License-Identifier: MIT
#include "observe/event_counters.hpp"

#include <algorithm>

#include "base/saturate.hpp"

namespace larder::observe {

namespace {

/// Returns the number of this thread's shard. The threads take the shards in turn.
std::size_t shard_of_this_thread() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
}

}  // namespace

void EventCounters::count(Number number) noexcept {
    // Nothing happens so often that this would overflow.
    number_of_this_thread(number).fetch_add(1, std::memory_order_relaxed);
}

void EventCounters::count(Number number, std::uint64_t more) noexcept {
    base::add(number_of_this_thread(number), more);
}

std::atomic<std::uint64_t>& EventCounters::number_of_this_thread(Number number) noexcept {
    return counters_[shard_of_this_thread() % shards].numbers[static_cast<std::size_t>(number)];
}

void EventCounters::hear(const Event& event) {
    switch (event.kind) {
        case Event::Kind::waiting:
            return;  // counted when it is over
        case Event::Kind::gave_up:
            count(Number::given_up);
            [[fallthrough]];
        case Event::Kind::waited:
            count(Number::waits);
            return count(Number::waited,
                         static_cast<std::uint64_t>(std::max<std::int64_t>(event.took.count(), 0)));
        case Event::Kind::published:
            return count(Number::published);
        case Event::Kind::removed:
            return count(Number::removed);
        case Event::Kind::refreshed:
            return count(Number::refreshed);
        case Event::Kind::restored:
            return count(Number::restored);
        case Event::Kind::evicted:
            count(Number::evicted);
            return count(Number::evicted_bytes, event.bytes);
        case Event::Kind::collected:
            count(Number::collections);
            count(Number::deleted, event.entries);
            return count(Number::deleted_bytes, event.bytes);
        case Event::Kind::takeover:
            return count(Number::takeovers);
        case Event::Kind::repaired:
            return count(Number::repairs);
        case Event::Kind::reopened:
            return count(Number::reopened);
    }
}

std::uint64_t EventCounters::sum(Number number) const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : counters_)
        base::add(sum,
                  shard.numbers[static_cast<std::size_t>(number)].load(std::memory_order_relaxed));
    return sum;
}

Counters EventCounters::counters() const noexcept {
    return {.hits = sum(Number::hits),
            .misses = sum(Number::misses),
            .published = sum(Number::published),
            .removed = sum(Number::removed),
            .refreshed = sum(Number::refreshed),
            .restored = sum(Number::restored),
            .evicted = sum(Number::evicted),
            .evicted_bytes = sum(Number::evicted_bytes),
            .collections = sum(Number::collections),
            .deleted = sum(Number::deleted),
            .deleted_bytes = sum(Number::deleted_bytes),
            .waits = sum(Number::waits),
            .given_up = sum(Number::given_up),
            .waited = std::chrono::nanoseconds(
                std::min(sum(Number::waited),
                         static_cast<std::uint64_t>(std::chrono::nanoseconds::max().count()))),
            .takeovers = sum(Number::takeovers),
            .repairs = sum(Number::repairs),
            .reopened = sum(Number::reopened)};
}

}  // namespace larder::observe
