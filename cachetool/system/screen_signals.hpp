// SPDX-License-Identifier: MIT
// The signals that matter to a program which shows something on a terminal again and again.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

namespace cachetool::system {

/// Why a wait for the next frame ended.
struct Wakeup {
    enum class Reason {
        elapsed,  ///< the time has passed
        resized,  ///< the terminal's size has changed
        suspend,  ///< the user pressed Ctrl-Z
        end,      ///< SIGINT, SIGTERM or SIGHUP came
    };
    Reason reason = Reason::elapsed;
    int signal = 0;  ///< the signal that came, or 0
};

/// Receives these signals while it lives. They take effect only inside wait(), never in the middle
/// of a frame. SIGINT, SIGTERM, SIGHUP and SIGTSTP stay ignored if the process ignores them.
/// Requires: one object at a time, and no other threads.
class ScreenSignals {
public:
    ScreenSignals();
    ~ScreenSignals();
    ScreenSignals(const ScreenSignals&) = delete;
    ScreenSignals& operator=(const ScreenSignals&) = delete;

    /// Waits until a signal comes or `limit` has passed.
    [[nodiscard]] Wakeup wait(std::chrono::milliseconds limit) const;

private:
    struct SavedState;
    std::unique_ptr<SavedState> saved_;
};

/// Stops this process, as Ctrl-Z does. Returns when it is continued.
void suspend();

}  // namespace cachetool::system
