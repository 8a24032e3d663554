// SPDX-License-Identifier: MIT
#include "stress/run/stall.hpp"

namespace larder::stress {

namespace {

Event of_everybody(std::uint32_t metronome, Kind kind, Time time) {
    Event event;
    event.time = time;
    event.process = metronome;
    event.phase = Phase::instant;
    event.kind = kind;
    return event;
}

}  // namespace

std::vector<Event> events_of_beat(std::uint32_t metronome, const Interval& beat) {
    if (beat.to - beat.from <= longest_usual_beat) return {};
    return {of_everybody(metronome, Kind::continued, beat.to),
            of_everybody(metronome, Kind::stopped, beat.from)};
}

}  // namespace larder::stress
