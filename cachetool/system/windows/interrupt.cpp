// SPDX-License-Identifier: MIT
#include "cachetool/system/interrupt.hpp"

#include <atomic>
#include <utility>

#include "cachetool/system/windows/console_events.hpp"

namespace cachetool::system {

namespace windows {

int signal_of(DWORD event) noexcept {
    switch (event) {
        case CTRL_C_EVENT:
            return interrupt;
        case CTRL_BREAK_EVENT:
            return quit;
        case CTRL_CLOSE_EVENT:
            return hang_up;
        default:
            return terminate;
    }
}

BOOL noted(DWORD event) noexcept {
    if (event != CTRL_C_EVENT && event != CTRL_BREAK_EVENT) ::Sleep(INFINITE);
    return TRUE;
}

void end_as_interrupted() noexcept {
    constexpr UINT control_c_exit = 0xc000013a;  // STATUS_CONTROL_C_EXIT
    ::ExitProcess(control_c_exit);
}

}  // namespace windows

namespace {

std::atomic<int> stop_signal{0};

/// Notes the first event. The next handler gets a second one: that of the system ends the process.
BOOL WINAPI note_first_stop(DWORD event) {
    if (stop_signal.exchange(windows::signal_of(event)) != 0) return FALSE;
    return windows::noted(event);
}

BOOL WINAPI note_every_stop(DWORD event) {
    stop_signal = windows::signal_of(event);
    return windows::noted(event);
}

}  // namespace

// In a process that was started so that it ignores Ctrl-C, the system calls no handler for that.
StopOnSignal::StopOnSignal() {
    stop_signal = 0;
    ::SetConsoleCtrlHandler(note_first_stop, TRUE);
}

StopOnSignal::~StopOnSignal() { ::SetConsoleCtrlHandler(note_first_stop, FALSE); }

void StopOnSignal::poll() {
    if (stop_signal != 0) stop_.request_stop();
}

void StopOnSignal::end_by_signal() const {
    if (stop_signal != 0) windows::end_as_interrupted();
}

std::jthread thread_without_signals(std::function<void(const std::stop_token&)> run) {
    return std::jthread(std::move(run));  // the system runs handlers in threads of their own
}

DeferSignals::DeferSignals() {
    stop_signal = 0;
    ::SetConsoleCtrlHandler(note_every_stop, TRUE);
}

DeferSignals::~DeferSignals() {
    ::SetConsoleCtrlHandler(note_every_stop, FALSE);
    if (stop_signal != 0) windows::end_as_interrupted();
}

bool DeferSignals::is_interrupted() noexcept { return stop_signal != 0; }

}  // namespace cachetool::system
