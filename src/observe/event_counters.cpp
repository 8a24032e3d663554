// SPDX-License-Identifier: MIT
#include "observe/event_counters.hpp"

namespace larder::observe {

namespace {

/// Returns the number of this thread's shard. The threads take the shards in turn.
std::size_t shard_of_this_thread() noexcept {
    static std::atomic<std::size_t> next{0};
    thread_local const std::size_t mine = next.fetch_add(1, std::memory_order_relaxed);
    return mine;
}

}  // namespace

void EventCounters::count(Number number, std::uint64_t more) noexcept {
    auto& shard = counters_[shard_of_this_thread() % shards];
    shard.numbers[static_cast<std::size_t>(number)].fetch_add(more, std::memory_order_relaxed);
}

void EventCounters::hear(const Event& event) {
    switch (event.kind) {
        case Event::Kind::waiting:
            return;  // counted when it is over
        case Event::Kind::gave_up:
            count(Number::given_up, 1);
            [[fallthrough]];
        case Event::Kind::waited:
            count(Number::waits, 1);
            return count(Number::waited, static_cast<std::uint64_t>(event.took.count()));
        case Event::Kind::published:
            return count(Number::published, 1);
        case Event::Kind::removed:
            return count(Number::removed, 1);
        case Event::Kind::refreshed:
            return count(Number::refreshed, 1);
        case Event::Kind::restored:
            return count(Number::restored, 1);
        case Event::Kind::evicted:
            count(Number::evicted, 1);
            return count(Number::evicted_bytes, event.bytes);
        case Event::Kind::collected:
            count(Number::collections, 1);
            count(Number::deleted, event.entries);
            return count(Number::deleted_bytes, event.bytes);
        case Event::Kind::takeover:
            return count(Number::takeovers, 1);
        case Event::Kind::repaired:
            return count(Number::repairs, 1);
        case Event::Kind::reopened:
            return count(Number::reopened, 1);
    }
}

std::uint64_t EventCounters::sum(Number number) const noexcept {
    std::uint64_t sum = 0;
    for (const Shard& shard : counters_)
        sum += shard.numbers[static_cast<std::size_t>(number)].load(std::memory_order_relaxed);
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
            .waited = std::chrono::nanoseconds(sum(Number::waited)),
            .takeovers = sum(Number::takeovers),
            .repairs = sum(Number::repairs),
            .reopened = sum(Number::reopened)};
}

}  // namespace larder::observe
