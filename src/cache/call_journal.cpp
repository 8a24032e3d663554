// SPDX-License-Identifier: MIT
#include "cache/call_journal.hpp"

#include <utility>

#include "os/clock.hpp"

namespace larder::cache {

void CallJournal::note(StepNote note) noexcept {
    note.at = os::wall_time();
    try {
        notes_.push_back(std::move(note));
    } catch (...) {
        // Memory has run out, and the note is lost.
    }
}

}  // namespace larder::cache
