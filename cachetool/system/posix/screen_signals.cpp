// SPDX-License-Identifier: MIT
#include "cachetool/system/screen_signals.hpp"

#include <sys/select.h>

#include <array>
#include <csignal>
#include <ctime>

namespace cachetool::system {
namespace {

constexpr std::array screen_signals{SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH};

volatile std::sig_atomic_t screen_signal = 0;

/// Notes a signal. If several come at once, one that ends the process counts.
void note_screen_signal(int signal) {
    if (screen_signal == 0 || (signal != SIGWINCH && signal != SIGTSTP)) screen_signal = signal;
}

Wakeup::Reason reason_of(int signal) {
    switch (signal) {
        case 0:
            return Wakeup::Reason::elapsed;
        case SIGWINCH:
            return Wakeup::Reason::resized;
        case SIGTSTP:
            return Wakeup::Reason::suspend;
        default:
            return Wakeup::Reason::end;
    }
}

}  // namespace

struct ScreenSignals::SavedState {
    sigset_t mask{};
    std::array<struct sigaction, screen_signals.size()> actions{};
};

ScreenSignals::ScreenSignals() : saved_(std::make_unique<SavedState>()) {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : screen_signals) sigaddset(&set, signal);
    ::sigprocmask(SIG_BLOCK, &set, &saved_->mask);
    for (std::size_t i = 0; i < screen_signals.size(); ++i) {
        ::sigaction(screen_signals[i], nullptr, &saved_->actions[i]);
        if (saved_->actions[i].sa_handler == SIG_IGN) continue;
        struct sigaction noting {};
        noting.sa_handler = note_screen_signal;
        ::sigaction(screen_signals[i], &noting, nullptr);
    }
}

ScreenSignals::~ScreenSignals() {
    for (std::size_t i = 0; i < screen_signals.size(); ++i)
        ::sigaction(screen_signals[i], &saved_->actions[i], nullptr);
    ::sigprocmask(SIG_SETMASK, &saved_->mask, nullptr);
}

Wakeup ScreenSignals::wait(std::chrono::milliseconds limit) const {
    // While pselect waits, and only then, the signals are not blocked.
    sigset_t open = saved_->mask;
    for (const int signal : screen_signals) sigdelset(&open, signal);
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
    const timespec time{static_cast<time_t>(seconds.count()),
                        static_cast<long>((limit - seconds).count() * 1'000'000)};
    screen_signal = 0;
    static_cast<void>(::pselect(0, nullptr, nullptr, nullptr, &time, &open));
    const int signal = screen_signal;
    return {reason_of(signal), signal};
}

void suspend() { std::raise(SIGSTOP); }

}  // namespace cachetool::system
