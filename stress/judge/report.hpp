// SPDX-License-Identifier: MIT
// Writes a verdict, for people and for programs.
#pragma once

#include <string>

#include "stress/judge/verdict.hpp"

namespace larder::stress {

/// Returns a few lines that say what was judged, and then each violation with its timeline.
[[nodiscard]] std::string text_of(const JudgeVerdict& verdict);

/// Returns {"sound", "operations", "unclear", "registers", "operations_per_register": {"fewest",
/// "median", "most"}, "builds", "evictions", "waits", "found": {KIND: COUNT}, "violations":
/// [{"kind", "explanation", "timeline"}]}.
[[nodiscard]] std::string json_of(const JudgeVerdict& verdict);

}  // namespace larder::stress
