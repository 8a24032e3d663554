// SPDX-License-Identifier: MIT
// SIGINT, SIGTERM and SIGHUP as requests that are obeyed at the next good moment.
#pragma once

#include <functional>
#include <stop_token>
#include <thread>

namespace cachetool::system {

/// Turns the first of these signals into a stop request. A second one ends the process at once, as
/// it does without this class. Signals that the process ignores stay ignored.
/// Requires: one object at a time.
class StopOnSignal {
public:
    StopOnSignal();
    ~StopOnSignal();
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;

    [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
    /// Requests the stop if a signal has come. A signal handler may not do that itself, so call
    /// this again and again, from any thread.
    void poll();
    /// Ends this process by the signal that came, so that a shell sees what ended it. Returns if no
    /// signal came.
    void end_by_signal() const;

private:
    std::stop_source stop_;
};

/// Starts a thread that receives no signals: they are for the main thread, which waits for a child
/// and forwards them. Throws std::system_error if no thread may be started.
[[nodiscard]] std::jthread thread_without_signals(std::function<void(const std::stop_token&)> run);

/// Polls a StopOnSignal while it lives, for a call that can be stopped and calls nothing back.
class PollForStop {
public:
    explicit PollForStop(StopOnSignal& stop);

private:
    std::jthread thread_;
};

/// Keeps these signals from ending the process while it lives. Its destructor lets the last one
/// that came take effect. Signals that the process ignores stay ignored.
/// Requires: one object at a time.
class DeferSignals {
public:
    DeferSignals();
    ~DeferSignals();
    DeferSignals(const DeferSignals&) = delete;
    DeferSignals& operator=(const DeferSignals&) = delete;

    /// Returns true if a signal has come: the process should begin nothing new.
    [[nodiscard]] static bool is_interrupted() noexcept;
};

}  // namespace cachetool::system
