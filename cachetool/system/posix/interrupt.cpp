// SPDX-License-Identifier: MIT
#include "cachetool/system/interrupt.hpp"

#include <array>
#include <atomic>
#include <csignal>
#include <utility>

namespace cachetool::system {
namespace {

constexpr std::array stop_signals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> stop_signal{0};
static_assert(std::atomic<int>::is_always_lock_free, "a handler may write nothing else");

void note_stop(int number) { stop_signal = number; }

/// Installs `note_stop` for every signal that is not ignored, and keeps what was there in `before`.
void note_stops(std::array<struct sigaction, stop_signals.size()>& before, int flags) {
    stop_signal = 0;
    for (std::size_t i = 0; i < stop_signals.size(); ++i) {
        ::sigaction(stop_signals[i], nullptr, &before[i]);
        if (before[i].sa_handler == SIG_IGN) continue;
        struct sigaction action {};
        action.sa_handler = note_stop;
        action.sa_flags = flags;
        ::sigaction(stop_signals[i], &action, nullptr);
    }
}

std::array<struct sigaction, stop_signals.size()> before_deferring;

}  // namespace

StopOnSignal::StopOnSignal() {
    std::array<struct sigaction, stop_signals.size()> before;
    note_stops(before, SA_RESETHAND | SA_RESTART);
}

StopOnSignal::~StopOnSignal() {
    for (const int number : stop_signals) {
        struct sigaction now {};
        ::sigaction(number, nullptr, &now);
        if (now.sa_handler == note_stop) std::signal(number, SIG_DFL);
    }
}

void StopOnSignal::poll() {
    if (stop_signal != 0) stop_.request_stop();
}

void StopOnSignal::end_by_signal() const {
    if (stop_signal == 0) return;
    std::signal(stop_signal, SIG_DFL);
    std::raise(stop_signal);
}

std::jthread thread_without_signals(std::function<void(const std::stop_token&)> run) {
    // The new thread inherits a mask that blocks all.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const auto restore = [&] { ::pthread_sigmask(SIG_SETMASK, &before, nullptr); };
    try {
        std::jthread thread(std::move(run));
        restore();
        return thread;
    } catch (...) {
        restore();
        throw;
    }
}

DeferSignals::DeferSignals() { note_stops(before_deferring, 0); }

DeferSignals::~DeferSignals() {
    for (std::size_t i = 0; i < stop_signals.size(); ++i)
        ::sigaction(stop_signals[i], &before_deferring[i], nullptr);
    if (stop_signal != 0) std::raise(stop_signal);
}

bool DeferSignals::is_interrupted() noexcept { return stop_signal != 0; }

}  // namespace cachetool::system
