// SPDX-License-Identifier: MIT
// Finds, among a million operations that fit in no order, the few that contradict each other.
#pragma once

#include <vector>

#include "stress/judge/model.hpp"

namespace larder::stress {

/// Returns demands that can't all be met, none of which could be left out, in the order of their
/// begins. One of them is the demand whose end makes the history impossible. An operation that is
/// not among them may still have happened; it does not help. Requires: the model has no order.
[[nodiscard]] std::vector<RegisterModel::Demand> smallest_conflict(RegisterModel& model);

}  // namespace larder::stress
