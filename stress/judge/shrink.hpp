// SPDX-License-Identifier: MIT
// Finding, among a million operations that fit in no order, the few that contradict each other.
#pragma once

#include <vector>

#include "stress/judge/model.hpp"

namespace larder::stress {

/// Demands that can't be met at once, none of which could be left out, in the order of their begins; among them the one whose
/// end makes the history impossible. Whatever is not among them may still have happened, and does not help. Requires: the model
/// has no order.
[[nodiscard]] std::vector<RegisterModel::Demand> smallest_conflict(RegisterModel& model);

}  // namespace larder::stress
