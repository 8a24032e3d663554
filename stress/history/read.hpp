// SPDX-License-Identifier: MIT
// Reads the histories of a run.
//
// Memory: 64 bytes for each operation, 64 KiB for what is being read, and a few hundred bytes for
// each process. Ten million operations of 16 processes on 1,000 keys took 614 MB and 1.6 s to read,
// and 703 MB and 6.7 s to judge (bench/judge.cpp).
#pragma once

#include <filesystem>

#include <larder/error.hpp>

#include "stress/history/history.hpp"

namespace larder::stress {

/// Reads all files DIRECTORY/history.* and joins them. Other names are ignored. Errors: `damaged`
/// if a file is cut off, is no history or says that events were lost, and if events do not fit
/// together: a verdict on half of what happened would be worthless. `miss` if there is no history.
[[nodiscard]] Result<History> read_history(const std::filesystem::path& directory);

}  // namespace larder::stress
