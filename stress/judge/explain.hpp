// SPDX-License-Identifier: MIT
// Says why the operations on a key fit in no order.
#pragma once

#include "stress/judge/checks.hpp"
#include "stress/judge/model.hpp"

namespace larder::stress {

/// Adds a violation with the few operations that contradict each other. Requires: the model has no
/// order.
void explain_disorder(const JudgeContext& context, RegisterModel& model);

}  // namespace larder::stress
