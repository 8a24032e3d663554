// SPDX-License-Identifier: MIT
// A time limit for work that can be stopped and sets itself no limit.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

namespace cachetool::system {

/// Requests `stop` when `limit` has passed, from a thread of its own. Without a limit it does
/// nothing.
class Deadline {
public:
    Deadline(std::optional<std::chrono::milliseconds> limit, std::stop_source stop);

    /// Makes the limit void. Returns when the thread has ended.
    void lift();

private:
    std::jthread thread_;
};

}  // namespace cachetool::system
