// SPDX-License-Identifier: MIT
#include "cachetool/system/interrupt.hpp"

#include <array>
#include <atomic>
#include <csignal>

namespace cachetool::system {
namespace {

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> received{0};
static_assert(std::atomic<int>::is_always_lock_free, "a handler may write nothing else");

void note(int number) { received = number; }

/// Installs `note` for every signal that is not ignored, and keeps what was there in `before`.
void note_signals(std::array<struct sigaction, ending_signals.size()>& before, int flags) {
    received = 0;
    for (std::size_t i = 0; i < ending_signals.size(); ++i) {
        ::sigaction(ending_signals[i], nullptr, &before[i]);
        if (before[i].sa_handler == SIG_IGN) continue;
        struct sigaction action {};
        action.sa_handler = note;
        action.sa_flags = flags;
        ::sigaction(ending_signals[i], &action, nullptr);
    }
}

std::array<struct sigaction, ending_signals.size()> before_deferring;

}  // namespace

StopOnSignal::StopOnSignal() {
    std::array<struct sigaction, ending_signals.size()> before;
    note_signals(before, SA_RESETHAND | SA_RESTART);
}

StopOnSignal::~StopOnSignal() {
    for (const int number : ending_signals) {
        struct sigaction now {};
        ::sigaction(number, nullptr, &now);
        if (now.sa_handler == note) std::signal(number, SIG_DFL);
    }
}

void StopOnSignal::poll() {
    if (received != 0) stop_.request_stop();
}

void StopOnSignal::end_by_signal() const {
    if (received == 0) return;
    std::signal(received, SIG_DFL);
    std::raise(received);
}

DeferSignals::DeferSignals() { note_signals(before_deferring, 0); }

DeferSignals::~DeferSignals() {
    for (std::size_t i = 0; i < ending_signals.size(); ++i)
        ::sigaction(ending_signals[i], &before_deferring[i], nullptr);
    if (received != 0) std::raise(received);
}

bool DeferSignals::is_interrupted() noexcept { return received != 0; }

}  // namespace cachetool::system
