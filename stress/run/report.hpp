// SPDX-License-Identifier: MIT
// Reports on a run: for people, for programs, for CI.
#pragma once

#include <string>

#include "stress/run/command_line.hpp"

namespace larder::stress {

struct RunReport {
    const CommandLine& line;
    const RunSetting& setting;
    const RunOutcome& outcomes;
    const SharedBoard& board;
    std::string file_system;
    std::string links;
    std::string buckets;
};

[[nodiscard]] std::string report_text(const RunReport& report);
[[nodiscard]] std::string report_json(const RunReport& report);
[[nodiscard]] std::string report_junit(const RunReport& report);

}  // namespace larder::stress
