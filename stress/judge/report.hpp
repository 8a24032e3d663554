// SPDX-License-Identifier: MIT
// A verdict, for people and for programs.
#pragma once

#include <string>

#include "stress/judge/verdict.hpp"

namespace larder::stress {

/// What was judged, in a few lines, then each violation with its timeline.
[[nodiscard]] std::string text_of(const JudgeVerdict& verdict);

/// {"sound", "operations", "unclear", "registers", "operations_per_register": {"fewest", "median", "most"}, "builds", "waits",
/// "found": {KIND: COUNT}, "violations": [{"kind", "explanation", "timeline"}]}
[[nodiscard]] std::string json_of(const JudgeVerdict& verdict);

}  // namespace larder::stress
