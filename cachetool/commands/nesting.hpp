// SPDX-License-Identifier: MIT
// The builds that this process runs inside. The library knows of the builds of its own thread; this
// knows of those that started this process by way of other programs.
#pragma once

#include <string>
#include <system_error>

#include <larder/cache.hpp>

namespace cachetool {

/// What `build` builds.
struct BuildTarget {
    const larder::Cache& cache;
    std::string bucket;
    std::string key;
};

/// Returns true if a COMMAND of `cachetool build`, which runs now and builds this very target, has
/// started this process, directly or not. A build here would wait for itself.
/// The environment ($LARDER_BUILDING) names the builds. A name does not count if its builder builds
/// no more, because a COMMAND may have started a process that outlives it.
[[nodiscard]] bool runs_inside(const BuildTarget& target);

/// Makes the programs that this process runs from now on know that they are inside this build, too.
/// Requires: this process builds the target.
[[nodiscard]] std::error_code enter_build(const BuildTarget& target);

}  // namespace cachetool
