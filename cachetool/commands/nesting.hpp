// SPDX-License-Identifier: MIT
// The builds that this process runs inside: what the library sees of its own thread's builds, carried through the programs between.
#pragma once

#include <string>

#include <larder/cache.hpp>

namespace cachetool {

/// One build, as `build` names it.
struct BuildName {
    const larder::Cache& cache;
    std::string bucket;
    std::string key;
};

/// Whether a COMMAND that `cachetool build` runs now for this very entry has, directly or not, started this process: it would wait for itself.
/// Follows the environment ($LARDER_BUILDING); a value that no cachetool has written says nothing, nor does a builder that builds no more:
/// a COMMAND may have started what outlives it.
[[nodiscard]] bool runs_inside(const BuildName& build);

/// From now on the programs that this process runs are inside this build, which it holds, as well. Returns an errno, or 0.
[[nodiscard]] int go_inside(const BuildName& build);

}  // namespace cachetool
