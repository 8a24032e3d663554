// SPDX-License-Identifier: MIT
// The command line.
#pragma once

#include <optional>
#include <vector>

#include "install.hpp"

namespace installer {

struct Options {
    fs::path cache;
    std::vector<fs::path> wheels;
    InstallOptions install;
    Limits limits;
    unsigned jobs = 1;
    bool ask = false;
    bool quiet = false;
    bool json = false;
};

/// The options, or nothing and the status to exit with: 0 where help was asked for, 2 for wrong usage.
[[nodiscard]] std::optional<Options> parse_command_line(int argc, char** argv, int& exit_status);

}  // namespace installer
