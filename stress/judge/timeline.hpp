// SPDX-License-Identifier: MIT
// Draws a few operations.
#pragma once

#include <string>
#include <vector>

#include "stress/history/history.hpp"

namespace larder::stress {

/// Draws the operations as a history that can be judged by itself. First comes the drawing, as
/// comments: a row for each operation and a column for each event, so that overlaps are easy to
/// see. Below stand the operations as text.hpp writes them, in nanoseconds since just before the
/// first, and what happened to their processes meanwhile.
[[nodiscard]] std::string timeline(const std::vector<Operation>& operations,
                                   const ProcessIncidents& incidents);

}  // namespace larder::stress
