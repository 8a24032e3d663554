// SPDX-License-Identifier: MIT
// For how long processes were stopped.
#pragma once

#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

/// Nanoseconds of `within` in which at least one of `processes`, or everybody, was stopped.
[[nodiscard]] Time stopped_within(const ProcessIncidents& incidents,
                                  const std::vector<std::uint32_t>& processes,
                                  const Interval& within);

/// The same, of any process but `process`.
[[nodiscard]] Time others_stopped_within(const ProcessIncidents& incidents, std::uint32_t process,
                                         const Interval& within);

}  // namespace larder::stress
