// SPDX-License-Identifier: MIT
#include "cachetool/system/interrupt.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <system_error>

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

PollForStop::PollForStop(StopOnSignal& stop) {
    const auto poll = [&stop](const std::stop_token& end) {
        // Arbitrary: a user does not notice it, a work of a few milliseconds still ends early, and
        // 200 looks each second cost nothing.
        constexpr std::chrono::milliseconds pause{5};
        std::mutex mutex;
        std::condition_variable_any ended;
        std::unique_lock lock(mutex);
        while (!ended.wait_for(lock, end, pause, [&] { return end.stop_requested(); })) stop.poll();
    };
    try {
        thread_ = std::jthread(poll);
    } catch (const std::system_error&) {
        // No thread may be started here. Then it takes a second signal to end the process.
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
