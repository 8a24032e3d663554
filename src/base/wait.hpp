// SPDX-License-Identifier: MIT
// Waits until an attempt succeeds, such as taking a lock. The wait has a limit on the steady clock,
// and a stop token or a function of the caller can end it.
//
// The system has no call that waits for a lock with a limit. So the attempt, which costs 2 µs, is
// made again and again. The pauses between the attempts double: from 20 µs (a publish holds its
// lock for about that long) up to a limit that the caller names.
#pragma once

#include <algorithm>
#include <chrono>
#include <functional>
#include <optional>
#include <stop_token>
#include <thread>

#include "base/century.hpp"
#include "base/error.hpp"

namespace larder::base {

/// How long a wait may last, how far apart its attempts may be, and what ends it early.
struct Patience {
    std::chrono::milliseconds limit;  ///< 0: one attempt, and no wait
    std::chrono::microseconds longest_pause;
    std::stop_token stop;
    /// Returns whether the caller still wants to wait. The function is the caller's, and outlives
    /// the wait; null if the caller has none. An exception that it throws counts as false.
    const std::function<bool()>* keep_waiting = nullptr;
};

/// The pause after the first attempt.
inline constexpr std::chrono::microseconds first_pause{20};
/// How often keep_waiting is called. Its callers are promised a tenth of a second, and the rest is
/// left for a pause and a busy machine.
inline constexpr std::chrono::milliseconds between_questions{50};

/// How a wait ended, and how long it took.
struct Waited {
    enum class End {
        acquired,     ///< an attempt has returned true
        too_long,     ///< the limit has passed
        interrupted,  ///< the stop token or keep_waiting has ended the wait
    };
    End end;
    std::chrono::steady_clock::duration took;  ///< zero if the first attempt succeeded
};

/// Returns whether the caller still wants to wait, by its stop token and its keep_waiting. Calls
/// keep_waiting only if the wait has lasted until `next_question`, and then moves that on.
[[nodiscard]] inline bool is_still_wanted(const Patience& patience,
                                          std::chrono::steady_clock::duration waited,
                                          std::chrono::steady_clock::duration& next_question) {
    if (patience.stop.stop_requested()) return false;
    if (patience.keep_waiting == nullptr || waited < next_question) return true;
    next_question = waited + between_questions;
    try {
        return (*patience.keep_waiting)();
    } catch (...) {
        return false;
    }
}

/// Calls `attempt`, which returns a Result<bool>, until it returns true or the patience ends. Calls
/// `while_waiting` after each attempt that returns false, with the time waited so far. If
/// `while_waiting` returns false, the wait ends as one that took too long. The last attempt is made
/// when the limit has passed; with a limit of 0 the first one is the last. Returns how the wait
/// ended. Errors: those of `attempt`, which end the wait.
template <class Attempt, class WhileWaiting>
[[nodiscard]] Result<Waited> wait_until(const Patience& patience, Attempt attempt,
                                        WhileWaiting while_waiting) {
    TRY_ASSIGN(bool acquired, attempt());
    if (acquired) return Waited{Waited::End::acquired, {}};
    // A limit such as the largest number that fits would overflow in nanoseconds.
    const auto limit = std::min<std::chrono::milliseconds>(patience.limit, century);
    const auto start = std::chrono::steady_clock::now();
    std::chrono::steady_clock::duration next_question = between_questions;
    for (auto pause = first_pause;; pause = std::min(pause * 2, patience.longest_pause)) {
        const auto waited = std::chrono::steady_clock::now() - start;
        if (acquired) return Waited{Waited::End::acquired, waited};
        if (!is_still_wanted(patience, waited, next_question))
            return Waited{Waited::End::interrupted, waited};
        if (waited >= limit || !while_waiting(waited)) return Waited{Waited::End::too_long, waited};
        const auto left = std::chrono::duration_cast<std::chrono::microseconds>(limit - waited);
        std::this_thread::sleep_for(std::min(pause, left));  // no longer than until the limit
        TRY_ASSIGN(acquired, attempt());
    }
}

}  // namespace larder::base
