// SPDX-License-Identifier: MIT
#include "stress/run/stall.hpp"

namespace larder::stress {

namespace {

LogEvent of_all_processes(std::uint32_t metronome, EventKind kind, Time time) {
    LogEvent event;
    event.time = time;
    event.process = metronome;
    event.phase = EventPhase::instant;
    event.kind = kind;
    return event;
}

}  // namespace

std::vector<LogEvent> events_of_beat(std::uint32_t metronome, const Interval& beat) {
    if (beat.to - beat.from <= longest_usual_beat) return {};
    return {of_all_processes(metronome, EventKind::continued, beat.to),
            of_all_processes(metronome, EventKind::stopped, beat.from)};
}

}  // namespace larder::stress
