// SPDX-License-Identifier: MIT
// A limit for something that can be stopped, and sets itself no limit.
#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <thread>

namespace cachetool {

/// Asks `stop` to stop when `limit` has passed, from a thread of its own; without a limit does nothing.
class Deadline {
public:
    Deadline(std::optional<std::chrono::milliseconds> limit, std::stop_source stop);

    /// From now on the limit does not matter. Returns when the thread has ended.
    void lift();

private:
    std::jthread thread_;
};

}  // namespace cachetool
