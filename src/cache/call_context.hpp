// SPDX-License-Identifier: MIT
// On whose behalf a step works.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>

#include "observe/observer.hpp"

namespace larder::cache {

/// How long one Cache's callers wait, who may end that, and who hears of it.
struct CallContext {
    std::chrono::milliseconds lock_timeout;
    std::chrono::milliseconds build_timeout;
    std::stop_token stop;
    std::function<void(const std::string&)> on_wait;
    observe::Observer* observer = nullptr;  ///< lives as long as the Cache; null: nobody asked

    void tell(const Event& event) const noexcept {
        if (observer != nullptr) observer->tell(event);
    }
};

}  // namespace larder::cache
