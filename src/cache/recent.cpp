// SPDX-License-Identifier: MIT
#include "cache/recent.hpp"

#include <cstddef>
#include <new>

#include "os/clock.hpp"

namespace larder::cache {

namespace {

/// As in a cache of a processor, a mark belongs to one set, and may lie in any slot (way) of that
/// set. The table has 256 KiB. That is enough for one installation: of 500 keys hardly any is
/// pushed out by another one, and of 5,000 only a few are.
constexpr std::size_t ways = 4, sets = 2048;

constexpr std::uint64_t minute_bits = 0xffff;

std::uint64_t mark_of(std::string_view key_path) noexcept {
    return std::hash<std::string_view>()(key_path);
}

/// Returns the minutes since the machine started. A jump of the clock does not change them.
std::uint64_t this_minute() noexcept {
    return static_cast<std::uint64_t>(
        std::chrono::floor<std::chrono::minutes>(os::time_since_boot()).count());
}

/// Returns true if the entry of this state is not settled any more, or if the slot is free.
bool is_over(std::uint64_t state, std::uint64_t now) noexcept {
    const std::uint64_t left = (state - now) & minute_bits;
    return state == 0 || left == 0 || left > static_cast<std::uint64_t>(use_interval.count());
}

}  // namespace

Recent::Recent() : slots_(static_cast<RecentSlot*>(std::calloc(ways * sets, sizeof(RecentSlot)))) {
    if (!slots_) throw std::bad_alloc();
}

Recent::RecentSlot* Recent::set_of(Mark mark) const noexcept { return &slots_[mark % sets * ways]; }

Recent::RecentSlot* Recent::find(Mark mark) const noexcept {
    RecentSlot* const set = set_of(mark);
    for (std::size_t way = 0; way < ways; ++way) {
        const std::uint64_t state = set[way].state.load(std::memory_order_relaxed);
        if (((state ^ mark) & ~minute_bits) == 0 && state != 0) return &set[way];
    }
    return nullptr;
}

RecentEntry Recent::lookup(std::string_view key_path) const noexcept {
    const RecentSlot* const slot = find(mark_of(key_path));
    if (slot == nullptr) return {};
    const format::Id id{slot->high.load(std::memory_order_relaxed),
                        slot->low.load(std::memory_order_relaxed)};
    return {.id = id,
            .settled = !is_over(slot->state.load(std::memory_order_relaxed), this_minute()),
            .use = slot->use.load(std::memory_order_relaxed)};
}

void Recent::settle(std::string_view key_path, const format::Id& id, std::chrono::minutes time,
                    std::uint64_t use) noexcept {
    const Mark mark = mark_of(key_path);
    const std::uint64_t now = this_minute();
    RecentSlot* slot = find(mark);
    for (std::size_t way = 0; slot == nullptr && way < ways; ++way) {
        RecentSlot& other = set_of(mark)[way];
        if (is_over(other.state.load(std::memory_order_relaxed), now)) slot = &other;
    }
    // All slots are in use, so one key is forgotten. Take the bits of the mark above those that
    // chose the set.
    if (slot == nullptr) slot = &set_of(mark)[mark / sets % ways];
    // Single stores, and no lock: a reader may see the new state with the old id, or half of each
    // id, or the use of another one. Any id will do as a guess, because the reader confirms it by
    // the link, and the ring tells whether the use is one of that id.
    slot->high.store(id.high, std::memory_order_relaxed);
    slot->low.store(id.low, std::memory_order_relaxed);
    slot->use.store(use, std::memory_order_relaxed);
    slot->state.store(
        (mark & ~minute_bits) | ((now + static_cast<std::uint64_t>(time.count())) & minute_bits),
        std::memory_order_relaxed);
}

void Recent::forget(std::string_view key_path) noexcept {
    if (RecentSlot* const slot = find(mark_of(key_path)))
        slot->state.store(0, std::memory_order_relaxed);
}

}  // namespace larder::cache
