// SPDX-License-Identifier: MIT
// Numbers drawn from the run's seed alone: the same seed and stream draw the same numbers on every machine.
#pragma once

#include <cstdint>

namespace larder::stress {

/// Spreads every bit of `number` over all bits of the result (the finalizer of SplitMix64, Steele et al. 2014).
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

/// SplitMix64: eight bytes of state, so that every thread of every process can have a stream of its own.
class Random {
public:
    Random(std::uint64_t seed, std::uint64_t stream) noexcept : state_(mix(seed, stream)) {}

    std::uint64_t next() noexcept { return mix(state_ += 0x9e37'79b9'7f4a'7c15U); }
    /// Less than `limit`, which is not 0. The bias of the remainder is below 2^-32 for every limit that a run draws with.
    std::uint64_t below(std::uint64_t limit) noexcept { return next() % limit; }
    /// From `low` to `high`, both included.
    std::uint64_t between(std::uint64_t low, std::uint64_t high) noexcept {
        return low + below(high - low + 1);
    }
    bool chance(double probability) noexcept {
        return static_cast<double>(next() >> 11) * 0x1p-53 < probability;
    }

private:
    std::uint64_t state_;
};

}  // namespace larder::stress
