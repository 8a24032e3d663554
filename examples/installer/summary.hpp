// SPDX-License-Identifier: MIT
// Prints what was installed.
#pragma once

#include <string>
#include <vector>

#include "install.hpp"
#include "options.hpp"

namespace installer {

/// What the steps of the installation have found and done.
struct Outcome {
    std::vector<LeasedWheel> wheels;
    std::vector<InstallPlan> plans;
    std::vector<larder::MaterializeReport> reports;
    double prepare_seconds = 0;
    double install_seconds = 0;
    std::vector<std::string> warnings;
    std::vector<std::string> errors;
};

/// Prints the errors to stderr and a summary to stdout, in the form that the options ask for.
/// Returns the exit status: 0, or 1 if there were errors.
int print_outcome(const Options& options, const fs::path& cache, const Outcome& outcome);

}  // namespace installer
