// SPDX-License-Identifier: MIT
// Sums and ages that end at their bounds and never overflow.
#pragma once

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>

namespace larder::base {

/// Adds `more` to `sum`, which stays at its largest value if it would pass that. Sizes come from
/// records, and a sparse file may claim 8 EiB.
inline void add(std::uint64_t& sum, std::uint64_t more) {
    sum += std::min(more, std::numeric_limits<std::uint64_t>::max() - sum);
}

/// Does the same to a sum to which several threads add.
inline void add(std::atomic<std::uint64_t>& sum, std::uint64_t more) noexcept {
    // Relaxed: the sum orders nothing else, and is read when the threads have ended.
    std::uint64_t before = sum.load(std::memory_order_relaxed), after = 0;
    do {
        after = before;
        add(after, more);
    } while (!sum.compare_exchange_weak(before, after, std::memory_order_relaxed));
}

/// A sum that does not saturate, for one from which parts are subtracted again: 128 bits.
class WideSum {
public:
    void add(std::uint64_t more) noexcept {
        low_ += more;
        if (low_ < more) ++high_;
    }
    /// Ends at zero if `less` is more than the sum.
    void subtract(const WideSum& less) noexcept {
        const std::uint64_t borrowed = low_ < less.low_ ? 1 : 0;
        if (high_ < less.high_ || high_ - less.high_ < borrowed) {
            *this = {};
            return;
        }
        low_ -= less.low_;
        high_ -= less.high_ + borrowed;
    }
    void subtract(std::uint64_t less) noexcept {
        WideSum sum;
        sum.add(less);
        subtract(sum);
    }
    /// Returns the sum, or the largest value if it is more than that.
    [[nodiscard]] std::uint64_t value() const noexcept {
        return high_ == 0 ? low_ : std::numeric_limits<std::uint64_t>::max();
    }

private:
    std::uint64_t high_ = 0, low_ = 0;
};

/// Returns how long before `now` a time was. What lies in the future counts as now, and what lies
/// before 1970 as 1970.
inline std::chrono::system_clock::duration age(std::chrono::system_clock::time_point then,
                                               std::chrono::system_clock::time_point now) {
    constexpr std::chrono::system_clock::time_point in_1970;
    const auto end = std::max(now, in_1970);
    return end - std::clamp(then, in_1970, end);
}

}  // namespace larder::base
