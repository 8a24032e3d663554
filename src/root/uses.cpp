#include <root/uses.hpp>

#include <time.h>

#include <cstddef>

namespace larder::root {

namespace {

/// 64 KiB, of which only what is used is ever touched. Of 500 entries of one installation none then pushes another out, and of 5,000 few do.
constexpr std::size_t ways = 4, sets = 2048;

/// Hours since the machine started, from 1: no jump of the clock matters.
std::uint64_t this_hour() noexcept {
    timespec now{};
#ifdef CLOCK_MONOTONIC_COARSE
    (void)::clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
#else
    (void)::clock_gettime(CLOCK_MONOTONIC, &now);
#endif
    return static_cast<std::uint64_t>(now.tv_sec / std::chrono::seconds(use_interval).count()) + 1;
}

/// Consecutive ids differ in a few low bits alone: spread over the whole word (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
std::uint64_t mixed(const layout::Id& id) noexcept {
    std::uint64_t x = id.low ^ id.high;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

}  // namespace

Uses::Uses() : slots_(new std::atomic<std::uint64_t>[ways * sets]()) {}

bool Uses::note(const layout::Id& id) noexcept {
    // A slot: 48 bits of the id, and the hour in the rest. Two entries that look the same cost one of them its note.
    const std::uint64_t mix = mixed(id), hour = this_hour() & 0xffff;
    const std::uint64_t noted = (mix & ~std::uint64_t{0xffff}) | hour;
    std::atomic<std::uint64_t>* const set = &slots_[mix % sets * ways];
    std::size_t free = (mix >> 11) % ways;
    for (std::size_t way = 0; way < ways; ++way) {
        const std::uint64_t seen = set[way].load(std::memory_order_relaxed);
        if (seen == noted) return false;
        if ((seen & 0xffff) != hour) free = way;  // never used, or of another hour
    }
    set[free].store(noted, std::memory_order_relaxed);
    return true;
}

}  // namespace larder::root
