// SPDX-License-Identifier: MIT
// Waiting for somebody else's instant: with a limit, on the steady clock, and interruptible.
//
// No call of the system waits for a lock with a limit, so we look again and again. Looking costs 2 µs; the pauses between
// double from 20 µs (a publish holds its lock for about that long) up to a limit that the caller names.
#pragma once

#include <algorithm>
#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/error.hpp"

namespace larder::base {

struct Patience {
    std::chrono::milliseconds limit;
    std::chrono::microseconds longest_pause;
    std::stop_token stop;
};

inline constexpr std::chrono::microseconds first_pause{20};

enum class Waited { had, too_long, interrupted };

/// Calls `attempt`, which returns a Result<bool>, until it is true or patience ends. `while_waiting` is called after each vain
/// attempt, with the time waited so far; it returns whether to go on.
template <class Attempt, class WhileWaiting>
[[nodiscard]] Result<Waited> wait_until(const Patience& patience, Attempt attempt,
                                        WhileWaiting while_waiting) {
    // A limit beyond a year is none, and must not overflow the clock's nanoseconds.
    const std::chrono::milliseconds limit =
        std::min<std::chrono::milliseconds>(patience.limit, std::chrono::hours(24 * 365));
    const auto start = std::chrono::steady_clock::now();
    auto pause = first_pause;
    for (;;) {
        TRY_ASSIGN(const bool had, attempt());
        if (had) return Waited::had;
        const auto waited = std::chrono::steady_clock::now() - start;
        if (patience.stop.stop_requested()) return Waited::interrupted;
        if (waited >= limit || !while_waiting(waited)) return Waited::too_long;
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(limit - waited);
        std::this_thread::sleep_for(std::min(pause, left));
        pause = std::min(pause * 2, patience.longest_pause);
    }
}

}  // namespace larder::base
