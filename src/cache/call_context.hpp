// SPDX-License-Identifier: MIT
// What a call of the public interface hands to each step of the protocol.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>

#include "cache/call_journal.hpp"

namespace larder::cache {

struct CallContext {
    std::chrono::milliseconds lock_timeout;
    std::chrono::milliseconds build_timeout;
    std::stop_token stop;
    /// Asked while the call waits: see OpenOptions::keep_waiting. Null if the program has none.
    const std::function<bool()>* keep_waiting = nullptr;
    CallJournal* journal = nullptr;  ///< null if the program has no listener
};

}  // namespace larder::cache
