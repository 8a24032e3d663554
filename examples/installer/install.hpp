// SPDX-License-Identifier: MIT
// Installs the entry of a wheel into a target.
#pragma once

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

/// Checks that no file is in the way. Errors: `exists` if two of the wheels own the same path. Also
/// if a path exists in the target, unless the options allow to replace it.
[[nodiscard]] Result<> check_conflicts(const std::vector<LeasedWheel>& wheels,
                                       const std::vector<InstallPlan>& plans,
                                       const InstallOptions& options);

/// Installs one wheel. RECORD is written last, so an installation that has it is complete.
/// Concurrency: several threads and processes may install different wheels into one target.
[[nodiscard]] Result<larder::MaterializeReport> install(const LeasedWheel& wheel,
                                                        const InstallPlan& plan,
                                                        const InstallOptions& options);

}  // namespace installer
