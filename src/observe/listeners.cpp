// SPDX-License-Identifier: MIT
#include "observe/listeners.hpp"

#include "os/clock.hpp"

namespace larder::observe {

void Listeners::tell(Event event) const noexcept {
    if (event.at == WallTime{}) event.at = os::wall_time();
    for (const auto& listener : listeners_) {
        try {
            listener->on_event(event);
        } catch (...) {
            // The step has done its work already. So its caller must get its result, and not this
            // exception.
        }
    }
}

}  // namespace larder::observe
