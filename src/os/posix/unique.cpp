// SPDX-License-Identifier: MIT
#include "os/unique.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>

#include "os/before_main.hpp"
#include "os/posix/fork.hpp"

namespace larder::os {

namespace {

/// Returns a random number from the kernel. A generator of our own would give a forked child the
/// same numbers as its parent.
std::uint64_t kernel_random() noexcept {
    std::uint64_t number = 0;
    if (::getentropy(&number, sizeof number) != 0)
        std::abort();  // this cannot fail on a kernel that larder supports
    return number;
}

struct ForkPrivate {
    std::atomic<std::uint64_t> token;
    std::atomic<std::uint64_t> drawn;
};

void wipe_in_child();

ForkPrivate& fork_private() noexcept {
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

std::uint64_t process_token() noexcept {
    auto& token = fork_private().token;
    if (const auto known = token.load(std::memory_order_acquire)) return known;
    const std::uint64_t fresh = kernel_random() | 1;
    std::uint64_t expected = 0;
    return token.compare_exchange_strong(expected, fresh) ? fresh : expected;
}

Unique draw_unique() noexcept {
    const std::uint64_t token = process_token();
    const std::uint64_t drawn = fork_private().drawn.fetch_add(1, std::memory_order_relaxed);
    // The counter has 32 bits. When it begins again, the next random number is used.
    return {token + (drawn >> 32), static_cast<std::uint32_t>(drawn)};
}

}  // namespace larder::os
