// SPDX-License-Identifier: MIT
#include "cachetool/system/deadline.hpp"

#include <condition_variable>
#include <csignal>
#include <mutex>

namespace cachetool::system {

Deadline::Deadline(std::optional<std::chrono::milliseconds> limit, std::stop_source stop) {
    if (!limit) return;
    // Signals are for the main thread, which waits for a child and forwards them. The new thread
    // inherits a mask that blocks all.
    sigset_t all, before;
    sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const auto end = std::chrono::steady_clock::now() + *limit;
    thread_ = std::jthread([end, stop = std::move(stop)](const std::stop_token& lifted) mutable {
        std::mutex mutex;
        std::condition_variable_any condition;
        std::unique_lock lock(mutex);
        condition.wait_until(lock, lifted, end, [] { return false; });
        if (!lifted.stop_requested()) stop.request_stop();
    });
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Deadline::lift() {
    thread_.request_stop();
    if (thread_.joinable()) thread_.join();
}

}  // namespace cachetool::system
