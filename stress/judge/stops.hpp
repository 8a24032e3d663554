// SPDX-License-Identifier: MIT
// For how long processes were stopped, or held what they had without doing anything.
#pragma once

#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

/// Returns for how many nanoseconds of `within` at least one of `processes`, or the whole machine,
/// was stopped.
[[nodiscard]] Time stopped_within(const ProcessIncidents& incidents,
                                  const std::vector<std::uint32_t>& processes,
                                  const Interval& within);

/// Returns for how many nanoseconds of `within` at least one process other than `process` was
/// stopped, or was killed and had not ended yet. Such processes do nothing, and hold their locks.
[[nodiscard]] Time others_held_within(const ProcessIncidents& incidents, std::uint32_t process,
                                      const Interval& within);

}  // namespace larder::stress
