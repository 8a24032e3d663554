// SPDX-License-Identifier: MIT
// Ctrl-C as a request to stop at the next good place, for what can be left and carried on later.
#pragma once

#include <stop_token>

namespace cachetool {

/// While it lives the first SIGINT, SIGTERM or SIGHUP is noted; a second one ends the process at once, as ever. Signals that are ignored
/// stay so. Requires: one at a time.
class StopOnSignal {
public:
    StopOnSignal();
    ~StopOnSignal();
    StopOnSignal(const StopOnSignal&) = delete;
    StopOnSignal& operator=(const StopOnSignal&) = delete;

    [[nodiscard]] std::stop_token token() const { return stop_.get_token(); }
    /// Asks to stop where a signal has come: to be called again and again, from any thread, since a handler may not do that itself.
    void look();
    /// Ends this process by the signal that came, if one came: so that a shell sees by what it ended.
    void die_of_it() const;

private:
    std::stop_source stop_;
};

}  // namespace cachetool
