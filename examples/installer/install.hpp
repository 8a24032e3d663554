// SPDX-License-Identifier: MIT
// From an entry of the cache to a target.
#pragma once

#include <vector>

#include <larder/larder.hpp>

#include "entry_points.hpp"
#include "record.hpp"
#include "wheel.hpp"

namespace installer {

/// A wheel whose entry is leased: until the lease ends, nobody can take its files away.
struct LeasedWheel {
    WheelFile wheel;
    larder::Lease lease;
    bool was_unpacked = false;  ///< by this process, just now; else it was in the cache
};

/// What an entry asks to be done in a target.
struct Plan {
    std::string dist_info;
    std::vector<RecordLine> files;  ///< to be materialized
    std::vector<std::string>
        scripts;  ///< to be rewritten: paths, the same in the entry and in the target
    std::vector<ConsoleScript> commands;  ///< to be written

    /// All that the installation will own, relative to the target.
    [[nodiscard]] std::vector<std::string> paths() const;
    [[nodiscard]] std::uint64_t bytes() const;
};

struct InstallOptions {
    fs::path target;
    larder::LinkMode link_mode = larder::LinkMode::automatic;
    std::string interpreter = "/usr/bin/env python3";
    bool replace = false;
    unsigned threads = 0;  ///< for the files of one wheel; 0 leaves it to larder
};

[[nodiscard]] Result<Plan> plan_installation(const LeasedWheel& wheel);

/// Errors: `exists` where two of the wheels own the same path, or, unless they are to be replaced, something stands there
/// already.
[[nodiscard]] Result<> check_conflicts(const std::vector<LeasedWheel>& wheels,
                                       const std::vector<Plan>& plans,
                                       const InstallOptions& options);

/// Installs one wheel. RECORD is written last: where it is, the installation is complete.
/// Concurrency: several threads and processes may install different wheels into one target.
[[nodiscard]] Result<larder::MaterializeReport> install(const LeasedWheel& wheel, const Plan& plan,
                                                        const InstallOptions& options);

}  // namespace installer
