// SPDX-License-Identifier: MIT
// Says when the machine or the disk stood still: no process got a processor, or all waited for the
// file system. An operation that takes long meanwhile is not held up by the cache.
#pragma once

#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

/// How long a beat of the metronome takes if nothing stalls, and how long it may take if it only
/// shares the processors: up to 1.8 s were measured beside compilers and tests. Shorter stalls need
/// no explanation, since the judge allows a second of noise.
constexpr Time usual_beat = 500'000'000, longest_usual_beat = 5 * usual_beat;

/// Returns what process `metronome` writes down about one of its beats: nothing, or, if the beat
/// took too long, that all processes were stopped during it.
///
/// The end of the stop comes first. So a metronome that is killed between the two events has
/// stopped no process, instead of all processes forever.
[[nodiscard]] std::vector<LogEvent> events_of_beat(std::uint32_t metronome, const Interval& beat);

}  // namespace larder::stress
