// SPDX-License-Identifier: MIT
#include "cachetool/system/screen_signals.hpp"

#include <algorithm>
#include <atomic>

#include "cachetool/system/terminal.hpp"
#include "cachetool/system/windows/console_events.hpp"
#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {
namespace {

std::atomic<int> end_signal{0};
std::atomic<HANDLE> end_event{nullptr};

BOOL WINAPI note_end(DWORD event) {
    end_signal = windows::signal_of(event);
    ::SetEvent(end_event);
    return windows::noted(event);
}

bool is_as_before(const TerminalSize& one, const TerminalSize& other) {
    return one.rows == other.rows && one.columns == other.columns;
}

}  // namespace

struct ScreenSignals::SavedState {
    windows::ScopedHandle event{::CreateEventW(nullptr, TRUE, FALSE, nullptr)};
};

ScreenSignals::ScreenSignals() : saved_(std::make_unique<SavedState>()) {
    end_signal = 0;
    end_event = saved_->event.get();
    ::SetConsoleCtrlHandler(note_end, TRUE);
}

ScreenSignals::~ScreenSignals() { ::SetConsoleCtrlHandler(note_end, FALSE); }

Wakeup ScreenSignals::wait(std::chrono::milliseconds limit) const {
    // A console tells the change of its size to those who read its input. So the size is asked for.
    constexpr std::chrono::milliseconds pause{250};  // arbitrary: a user waits for that long
    const auto before = terminal_size(StandardStream::output);
    const auto end = std::chrono::steady_clock::now() + limit;
    for (;;) {
        const auto left =
            std::chrono::ceil<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
        const auto time = std::clamp(left, std::chrono::milliseconds(0), pause);
        const auto woken =
            ::WaitForSingleObject(saved_->event.get(), static_cast<DWORD>(time.count()));
        if (woken == WAIT_OBJECT_0) return {Wakeup::Reason::end, end_signal};
        if (left <= pause) return {Wakeup::Reason::elapsed, 0};
        if (!is_as_before(before, terminal_size(StandardStream::output)))
            return {Wakeup::Reason::resized, 0};
    }
}

void suspend() {}  // no key of a console does that

}  // namespace cachetool::system
