// Which entries' uses this process need not think of for a while, because their links were looked at lately.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <layout/id.hpp>
#include <memory>

namespace larder::root {

/// A use is written down at most so often for each entry. Arbitrary: fine enough for ages in days, and rare enough to cost nothing.
inline constexpr std::chrono::minutes use_interval{60};

/// A cache of fixed size, without locks: what it has forgotten is looked at once more, and harms nothing.
class Uses {
public:
    Uses();

    /// Whether settle() said so of this entry, and the time is not over.
    [[nodiscard]] bool is_settled(const layout::Id& id) const noexcept;
    /// Nothing need be looked at for so long, an interval at most.
    void settle(const layout::Id& id, std::chrono::minutes time) noexcept;

private:
    std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;
};

}  // namespace larder::root
