// SPDX-License-Identifier: MIT
#include "cachetool/system/interrupt.hpp"

#include <array>
#include <atomic>
#include <csignal>

namespace cachetool {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> came{0};
static_assert(std::atomic<int>::is_always_lock_free, "a handler may write nothing else");

void note(int number) { came = number; }

}  // namespace

StopOnSignal::StopOnSignal() {
    came = 0;
    for (const int number : signals) {
        struct sigaction old {
        }, action{};
        ::sigaction(number, nullptr, &old);
        if (old.sa_handler == SIG_IGN) continue;
        action.sa_handler = note;
        action.sa_flags = SA_RESETHAND | SA_RESTART;
        ::sigaction(number, &action, nullptr);
    }
}

StopOnSignal::~StopOnSignal() {
    for (const int number : signals) {
        struct sigaction old {};
        ::sigaction(number, nullptr, &old);
        if (old.sa_handler == note) std::signal(number, SIG_DFL);
    }
}

void StopOnSignal::look() {
    if (came != 0) stop_.request_stop();
}

void StopOnSignal::die_of_it() const {
    if (came == 0) return;
    std::signal(came, SIG_DFL);
    std::raise(came);
}

}  // namespace cachetool
