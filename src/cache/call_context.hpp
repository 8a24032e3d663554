// SPDX-License-Identifier: MIT
// What every step gets from its caller.
#pragma once

#include <chrono>
#include <stop_token>

#include "cache/call_journal.hpp"

namespace larder::cache {

struct CallContext {
    std::chrono::milliseconds lock_timeout;
    std::chrono::milliseconds build_timeout;
    std::stop_token stop;
    CallJournal* journal = nullptr;  ///< null if the program has no listener
};

}  // namespace larder::cache
