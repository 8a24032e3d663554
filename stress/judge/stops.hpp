// SPDX-License-Identifier: MIT
// For how long processes were stopped.
#pragma once

#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

/// Returns for how many nanoseconds of `within` at least one of `processes`, or the whole machine,
/// was stopped.
[[nodiscard]] Time stopped_within(const ProcessIncidents& incidents,
                                  const std::vector<std::uint32_t>& processes,
                                  const Interval& within);

/// Does the same for all processes but `process`.
[[nodiscard]] Time others_stopped_within(const ProcessIncidents& incidents, std::uint32_t process,
                                         const Interval& within);

}  // namespace larder::stress
