// SPDX-License-Identifier: MIT
#include "cachetool/system/clock.hpp"

namespace cachetool::system {

std::chrono::system_clock::time_point wall_time() noexcept {
    return std::chrono::system_clock::now();
}

}  // namespace cachetool::system
