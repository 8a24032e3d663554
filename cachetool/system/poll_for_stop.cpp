// SPDX-License-Identifier: MIT
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <system_error>

#include "cachetool/system/interrupt.hpp"

namespace cachetool::system {

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
        thread_ = thread_without_signals(poll);
    } catch (const std::system_error&) {
        // No thread may be started here. Then it takes a second signal to end the process.
    }
}

}  // namespace cachetool::system
