// SPDX-License-Identifier: MIT
// The command line of the installer.
#pragma once

#include <optional>
#include <vector>

#include "install.hpp"

namespace installer {

struct Options {
    fs::path cache;
    std::vector<fs::path> wheels;
    InstallOptions install;
    WheelLimits limits;
    unsigned jobs = 1;
    bool ask = false;
    bool quiet = false;
    bool json = false;
};

/// Returns the options. Returns nullopt if the program has to exit, and sets `exit_status`: 0 after
/// --help, 2 after wrong usage.
[[nodiscard]] std::optional<Options> parse_command_line(int argc, char** argv, int& exit_status);

}  // namespace installer
