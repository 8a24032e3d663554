// SPDX-License-Identifier: MIT
// A few operations, drawn.
#pragma once

#include <string>
#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

/// First, as comments, one row for each operation and one column for each event, so that what overlaps is seen at once; below,
/// the same as text.hpp writes it, in nanoseconds since just before the first: a history that can be judged by itself. What
/// befell the processes of these operations meanwhile is among it.
[[nodiscard]] std::string timeline(const std::vector<Operation>& operations,
                                   const ProcessIncidents& incidents);

}  // namespace larder::stress
