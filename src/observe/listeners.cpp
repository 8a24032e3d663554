// SPDX-License-Identifier: MIT
#include "observe/listeners.hpp"

namespace larder::observe {

void Listeners::tell(Event event) const noexcept {
    if (event.at == WallTime{}) event.at = std::chrono::system_clock::now();
    for (const auto& listener : listeners_) {
        try {
            listener->hear(event);
        } catch (...) {
            // What was done is done, and its caller must learn of that and of nothing else.
        }
    }
}

}  // namespace larder::observe
