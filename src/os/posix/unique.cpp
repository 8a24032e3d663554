// SPDX-License-Identifier: MIT
#include "os/unique.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <time.h>

#include "os/before_main.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/fork.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

/// Returns a random number from the kernel, which is never 0; 0 and errno if the kernel gives none.
/// A generator of our own would give a forked child the same numbers as its parent.
std::uint64_t kernel_random() noexcept {
    std::uint64_t number = 0;
    if (retry([&] { return platform::fill_with_random(&number, sizeof number); }) == 0)
        return number | 1;  // odd, and so not 0
    // A sandbox may refuse the call, and still have the device.
    const Fd device(retry([&] { return ::open("/dev/urandom", O_RDONLY | O_CLOEXEC); }));
    if (!device) return 0;
    const auto got = retry([&] { return ::read(device.get(), &number, sizeof number); });
    if (got == sizeof number) return number | 1;
    if (got >= 0) errno = EIO;
    return 0;
}

/// Returns a number for a process to which the kernel gives no random one, and which has no way to
/// return an error: a forked child, and a process that only materializes. draw_token refuses every
/// other process. Two such processes differ by their pids, or by the time. Never returns 0.
std::uint64_t number_of_pid_and_time() noexcept {
    std::uint64_t number = 0;
    const auto mix = [&](auto part) {
        // The multiplier is 2^64 divided by the golden ratio, as hash functions often use it.
        number = (number ^ static_cast<std::uint64_t>(part)) * 0x9e3779b97f4a7c15U;
        number ^= number >> 29;
    };
    mix(::getpid());
    for (const clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
        timespec now{};
        (void)::clock_gettime(clock, &now);
        mix(now.tv_sec);
        mix(now.tv_nsec);
    }
    return number | 1;
}

/// What a forked child must not share with its parent. It lies in memory that is zero again in the
/// child.
struct ForkPrivate {
    std::atomic<std::uint64_t> token;  // 0 until it is drawn
    std::atomic<std::uint64_t> drawn;  // how many numbers this process has drawn
};

void wipe_in_child();

/// Returns the one such object of this process, which is never freed. It is made before main: see
/// os/before_main.hpp.
ForkPrivate& fork_private() noexcept {
    // Memory of zeros is a valid object: both members are 0.
    static ForkPrivate* const page =
        static_cast<ForkPrivate*>(memory_wiped_in_child(sizeof(ForkPrivate), wipe_in_child));
    return *page;
}

void wipe_in_child() {
    fork_private().token = 0;
    fork_private().drawn = 0;
}

[[maybe_unused]] const bool process_made = before_main([]() -> auto& { return fork_private(); });

}  // namespace

Result<> draw_token() {
    auto& token = fork_private().token;
    if (token.load(std::memory_order_acquire) != 0) return {};
    const std::uint64_t fresh = kernel_random();
    if (fresh == 0)
        return fail(errno, "draw a random number", "/dev/urandom",
                    "this sandbox refuses getrandom and the device; allow one of them");
    std::uint64_t expected = 0;
    (void)token.compare_exchange_strong(expected, fresh);  // or keep that of another thread
    return {};
}

std::uint64_t process_token() noexcept {
    auto& token = fork_private().token;
    if (const auto known = token.load(std::memory_order_acquire)) return known;
    std::uint64_t fresh = kernel_random();
    if (fresh == 0) fresh = number_of_pid_and_time();
    // If another thread has drawn a token meanwhile, that is the token of this process.
    std::uint64_t expected = 0;
    return token.compare_exchange_strong(expected, fresh) ? fresh : expected;
}

Unique draw_unique() noexcept {
    const std::uint64_t token = process_token();
    const std::uint64_t drawn = fork_private().drawn.fetch_add(1, std::memory_order_relaxed);
    // The counter of a Unique has 32 bits. When it begins again, the next number is used in place
    // of the token.
    return {token + (drawn >> 32), static_cast<std::uint32_t>(drawn)};
}

}  // namespace larder::os
