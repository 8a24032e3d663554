// SPDX-License-Identifier: MIT
// When the machine or the disk stood still: nobody got the processor, or everybody waited for the file system. What waits
// meanwhile waits for nothing that the cache does.
#pragma once

#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

/// What a beat of the metronome takes where nothing stalls, and the most that it takes where it only shares the processors with
/// others: measured up to 1.8 s beside compilers and tests. What is shorter need not be explained: the noise that the judge
/// allows is a second.
constexpr Time usual_beat = 500'000'000, longest_usual_beat = 5 * usual_beat;

/// What process `metronome` writes down about a beat of its own: nothing, or, where it took longer than it ever should, that
/// everybody was stopped in it.
///
/// The end comes first: a metronome that is killed between the two has stopped nobody, and not everybody for ever.
[[nodiscard]] std::vector<LogEvent> events_of_beat(std::uint32_t metronome, const Interval& beat);

}  // namespace larder::stress
