// SPDX-License-Identifier: MIT
// A histogram of how long operations take, which many processes fill at once.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace larder::stress {

/// It has four buckets for each power of two, so a percentile is at most a fifth too large.
class LatencyHistogram {
public:
    void add(std::uint64_t nanoseconds) noexcept {
        buckets_[index_of(nanoseconds)].fetch_add(1, std::memory_order_relaxed);
        std::uint64_t seen = max_.load(std::memory_order_relaxed);
        while (seen < nanoseconds &&
               !max_.compare_exchange_weak(seen, nanoseconds, std::memory_order_relaxed)) {
        }
    }

    [[nodiscard]] std::uint64_t count() const noexcept {
        std::uint64_t count = 0;
        for (const auto& bucket : buckets_) count += bucket.load(std::memory_order_relaxed);
        return count;
    }
    [[nodiscard]] std::uint64_t max() const noexcept {
        return max_.load(std::memory_order_relaxed);
    }

    /// Returns the nanoseconds that a share of the operations, such as 0.99, did not exceed.
    [[nodiscard]] std::uint64_t percentile(double share) const noexcept {
        const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(count()));
        std::uint64_t passed = 0;
        for (std::size_t i = 0; i < buckets_.size(); ++i) {
            passed += buckets_[i].load(std::memory_order_relaxed);
            if (passed > wanted) return upper_end(i);
        }
        return max();
    }

private:
    static constexpr std::size_t index_of(std::uint64_t value) noexcept {
        if (value < 4) return static_cast<std::size_t>(value);
        const auto power = static_cast<std::size_t>(std::bit_width(value)) - 1;
        return power * 4 - 4 + static_cast<std::size_t>(value >> (power - 2) & 3);
    }
    static constexpr std::uint64_t upper_end(std::size_t index) noexcept {
        if (index < 4) return index;
        const std::size_t power = (index + 4) / 4, quarter = (index + 4) % 4;
        return ((5 + quarter) << (power - 2)) - 1;
    }

    std::array<std::atomic<std::uint64_t>, 252> buckets_;
    std::atomic<std::uint64_t> max_;
};

}  // namespace larder::stress
