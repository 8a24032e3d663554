// SPDX-License-Identifier: MIT
// What is said about a run: to people, to programs, to CI.
#pragma once

#include <string>

#include "stress/run/command_line.hpp"

namespace larder::stress {

struct Report {
    const CommandLine& line;
    const Setting& setting;
    const Outcomes& outcomes;
    const Board& board;
    std::string file_system;
    std::string links;
};

[[nodiscard]] std::string report_text(const Report& report);
[[nodiscard]] std::string report_json(const Report& report);
[[nodiscard]] std::string report_junit(const Report& report);

}  // namespace larder::stress
