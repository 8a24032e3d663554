// SPDX-License-Identifier: MIT
// Installs the entry of a wheel into a target.
#pragma once

#include <set>
#include <string>
#include <vector>

#include <larder/lease.hpp>
#include <larder/materialize.hpp>

#include "entry_points.hpp"
#include "record.hpp"
#include "wheel.hpp"

namespace installer {

/// A wheel whose entry is leased. Its files stay where they are until the lease ends.
struct LeasedWheel {
    WheelFile wheel;
    larder::Lease lease;
    bool was_unpacked = false;  ///< this process has unpacked it; otherwise it was in the cache
};

/// What has to be done to install an entry.
struct InstallPlan {
    std::string dist_info;
    std::vector<RecordLine> files;  ///< to be materialized
    /// Scripts whose first line names the interpreter: paths in the entry and in the target.
    std::vector<std::string> scripts;
    std::vector<ConsoleScript> commands;  ///< programs to be written
    /// Files of the wheel that a later wheel brings too. That one's file is installed and listed in
    /// its RECORD, so that uninstalling this wheel leaves it alone.
    std::set<std::string> lost;
    bool wins = false;  ///< another wheel has lost files to this one

    /// Returns the paths of all files that the installation will own, relative to the target.
    [[nodiscard]] std::vector<std::string> paths() const;
    [[nodiscard]] std::uint64_t bytes() const;
};

struct InstallOptions {
    fs::path target;
    larder::LinkMode link_mode = larder::LinkMode::automatic;
    std::string interpreter = "/usr/bin/env python3";
    bool replace = false;
    unsigned threads = 0;  ///< for the files of one wheel; 0 lets larder choose
};

[[nodiscard]] Result<InstallPlan> plan_installation(const LeasedWheel& wheel);

/// Looks for files that two of the wheels bring. The later wheel wins, as with uv: the plan of the
/// other one loses the file. Returns a warning for each such file, which names both wheels.
/// Errors: `exists` if two of the wheels are of one distribution, or if a path exists in the
/// target, unless the options allow to replace it.
[[nodiscard]] Result<std::vector<std::string>> settle_conflicts(
    const std::vector<LeasedWheel>& wheels, std::vector<InstallPlan>& plans,
    const InstallOptions& options);

/// Takes the files that the plans replace out of the RECORDs of the distributions that are in the
/// target and stay there. So uninstalling one of those leaves the new files alone. Returns a
/// warning for each such file, which names both.
[[nodiscard]] Result<std::vector<std::string>> disown_replaced(
    const std::vector<LeasedWheel>& wheels, const std::vector<InstallPlan>& plans,
    const InstallOptions& options);

/// Installs one wheel. RECORD is written last, so an installation that has it is complete.
/// Concurrency: several threads and processes may install different wheels into one target, but a
/// plan that wins comes after those that have lost to it.
[[nodiscard]] Result<larder::MaterializeReport> install(const LeasedWheel& wheel,
                                                        const InstallPlan& plan,
                                                        const InstallOptions& options);

}  // namespace installer
