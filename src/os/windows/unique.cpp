// SPDX-License-Identifier: MIT
#include "os/unique.hpp"

#include <atomic>
#include <bcrypt.h>
#include <windows.h>

namespace larder::os {

namespace {

/// Returns a random number from the system, which is never 0; 0 if the system gives none.
std::uint64_t system_random() noexcept {
    std::uint64_t number = 0;
    const auto status = ::BCryptGenRandom(nullptr, reinterpret_cast<unsigned char*>(&number),
                                          sizeof number, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    return status >= 0 ? number | 1 : 0;  // odd, and so not 0
}

/// Returns a number for a process to which the system gives no random one, and which has no way to
/// return an error: one that only materializes. draw_token refuses every other process. Two such
/// processes differ by their pids, or by the time. Never returns 0.
std::uint64_t number_of_pid_and_time() noexcept {
    std::uint64_t number = 0;
    const auto mix = [&](std::uint64_t part) {
        // The multiplier is 2^64 divided by the golden ratio, as hash functions often use it.
        number = (number ^ part) * 0x9e3779b97f4a7c15U;
        number ^= number >> 29;
    };
    mix(::GetCurrentProcessId());
    FILETIME now{};
    ::GetSystemTimePreciseAsFileTime(&now);
    mix(std::uint64_t{now.dwHighDateTime} << 32U | now.dwLowDateTime);
    LARGE_INTEGER counter{};
    ::QueryPerformanceCounter(&counter);
    mix(static_cast<std::uint64_t>(counter.QuadPart));
    return number | 1;
}

// Windows has no fork, so no other process begins with a copy of these.
constinit std::atomic<std::uint64_t> process_number{0};  // 0 until it is drawn
constinit std::atomic<std::uint64_t> drawn_numbers{0};   // how many this process has drawn

}  // namespace

Result<> draw_token() {
    if (process_number.load(std::memory_order_acquire) != 0) return {};
    const std::uint64_t fresh = system_random();
    if (fresh == 0) {
        return fail(ERROR_GEN_FAILURE, "draw a random number", {},
                    "the system gives no random numbers (BCryptGenRandom)");
    }
    std::uint64_t expected = 0;
    (void)process_number.compare_exchange_strong(expected, fresh);  // or keep another thread's
    return {};
}

std::uint64_t process_token() noexcept {
    if (const auto known = process_number.load(std::memory_order_acquire)) return known;
    std::uint64_t fresh = system_random();
    if (fresh == 0) fresh = number_of_pid_and_time();
    // If another thread has drawn a token meanwhile, that is the token of this process.
    std::uint64_t expected = 0;
    return process_number.compare_exchange_strong(expected, fresh) ? fresh : expected;
}

Unique draw_unique() noexcept {
    const std::uint64_t token = process_token();
    const std::uint64_t drawn = drawn_numbers.fetch_add(1, std::memory_order_relaxed);
    // The counter of a Unique has 32 bits. When it begins again, the next number is used in place
    // of the token.
    return {token + (drawn >> 32), static_cast<std::uint32_t>(drawn)};
}

}  // namespace larder::os
