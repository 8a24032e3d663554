#include <root/uses.hpp>

#include <time.h>

#include <cstddef>

namespace larder::root {

namespace {

/// 64 KiB, of which only what is used is ever touched. Of 500 entries of one installation hardly one then pushes another out, and of 5,000 few do.
constexpr std::size_t ways = 4, sets = 2048;

/// Minutes since the machine started, its sleep included: no jump of the clock matters.
std::uint64_t this_minute() noexcept {
    timespec now{};
#ifdef CLOCK_BOOTTIME
    (void)::clock_gettime(CLOCK_BOOTTIME, &now);
#else
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return static_cast<std::uint64_t>(now.tv_sec / 60);
}

/// Consecutive ids differ in a few low bits alone: spread over the whole word (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
std::uint64_t mixed(const layout::Id& id) noexcept {
    std::uint64_t x = id.low ^ id.high;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

/// A slot: 48 bits of the id, and in the rest the minute until which it is settled, which comes round after 45 days. Two entries that look the same
/// cost one of them its note.
constexpr std::uint64_t minute_bits = 0xffff;

bool is_over(std::uint64_t slot, std::uint64_t now) noexcept {
    const std::uint64_t left = (slot - now) & minute_bits;
    return slot == 0 || left == 0 || left > static_cast<std::uint64_t>(use_interval.count());
}

}  // namespace

Uses::Uses() : slots_(new std::atomic<std::uint64_t>[ways * sets]()) {}

bool Uses::is_settled(const layout::Id& id) const noexcept {
    const std::uint64_t mix = mixed(id);
    const std::atomic<std::uint64_t>* const set = &slots_[mix % sets * ways];
    for (std::size_t way = 0; way < ways; ++way) {
        const std::uint64_t slot = set[way].load(std::memory_order_relaxed);
        if (((slot ^ mix) & ~minute_bits) == 0 && slot != 0) return !is_over(slot, this_minute());
    }
    return false;
}

void Uses::settle(const layout::Id& id, std::chrono::minutes time) noexcept {
    const std::uint64_t mix = mixed(id), now = this_minute();
    const std::uint64_t settled = (mix & ~minute_bits) | ((now + static_cast<std::uint64_t>(time.count())) & minute_bits);
    std::atomic<std::uint64_t>* const set = &slots_[mix % sets * ways];
    std::size_t chosen = (mix >> 11) % ways;
    for (std::size_t way = 0; way < ways; ++way) {
        const std::uint64_t slot = set[way].load(std::memory_order_relaxed);
        if (((slot ^ mix) & ~minute_bits) == 0) {
            chosen = way;
            break;
        }
        if (is_over(slot, now)) chosen = way;
    }
    set[chosen].store(settled, std::memory_order_relaxed);
}

}  // namespace larder::root
