// SPDX-License-Identifier: MIT
#include "cachetool/system/deadline.hpp"

#include <condition_variable>
#include <mutex>

#include "cachetool/system/interrupt.hpp"

namespace cachetool::system {

Deadline::Deadline(std::optional<std::chrono::milliseconds> limit, std::stop_source stop) {
    if (!limit) return;
    const auto end = std::chrono::steady_clock::now() + *limit;
    const auto wait = [end, stop = std::move(stop)](const std::stop_token& lifted) mutable {
        std::mutex mutex;
        std::condition_variable_any condition;
        std::unique_lock lock(mutex);
        condition.wait_until(lock, lifted, end, [] { return false; });
        if (!lifted.stop_requested()) stop.request_stop();
    };
    thread_ = thread_without_signals(wait);
}

void Deadline::lift() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace cachetool::system
