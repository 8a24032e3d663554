// Which entries this process has written a use down for lately, so that it need not look at their links again.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <layout/id.hpp>
#include <memory>

namespace larder::root {

/// A use is written down at most so often for each entry. Arbitrary: fine enough for ages in days, and rare enough to cost nothing.
inline constexpr std::chrono::hours use_interval{1};

/// A cache of fixed size, without locks: what it has forgotten is looked at once more, and harms nothing.
class Uses {
public:
    Uses();

    /// False where this very entry was noted less than an interval ago; else notes it.
    [[nodiscard]] bool note(const layout::Id& id) noexcept;

private:
    std::unique_ptr<std::atomic<std::uint64_t>[]> slots_;
};

}  // namespace larder::root
