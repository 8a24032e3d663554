// SPDX-License-Identifier: MIT
// Random numbers that follow from the run's seed alone: the same seed and stream give the same
// numbers on every machine.
#pragma once

#include <cstdint>

namespace larder::stress {

/// Spreads every bit of `number` over all bits of the result: the finalizer of SplitMix64 (Steele,
/// Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014).
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t number) noexcept {
    number = (number ^ number >> 30) * 0xbf58'476d'1ce4'e5b9U;
    number = (number ^ number >> 27) * 0x94d0'49bb'1331'11ebU;
    return number ^ number >> 31;
}

template <class... More>
[[nodiscard]] constexpr std::uint64_t mix(std::uint64_t first, std::uint64_t second,
                                          More... more) noexcept {
    return mix(mix(first + 0x9e37'79b9'7f4a'7c15U) ^ second, more...);
}

/// SplitMix64. Its state has eight bytes, so every thread of every process can have a stream of its
/// own.
class Random {
public:
    Random(std::uint64_t seed, std::uint64_t stream) noexcept : state_(mix(seed, stream)) {}

    std::uint64_t next() noexcept { return mix(state_ += 0x9e37'79b9'7f4a'7c15U); }
    /// Returns a number less than `limit`. Requires: `limit` is not 0. For every limit of a run the
    /// bias of the remainder is below 2^-32.
    std::uint64_t below(std::uint64_t limit) noexcept { return next() % limit; }
    /// Returns a number from `low` to `high`, both included.
    std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
        return low + below(high - low + 1);
    }
    /// Returns true with this probability.
    bool chance(double probability) noexcept {
        return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
    }

private:
    std::uint64_t state_;
};

}  // namespace larder::stress
