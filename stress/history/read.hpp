// SPDX-License-Identifier: MIT
// Reading the histories of a run.
//
// Memory: 64 bytes for each operation, 64 KiB for what is being read, and a few hundred bytes for each process. Ten million
// operations of 16 processes on 1,000 keys took 614 MB to read, and 703 MB to judge (bench/judge.cpp; 1.6 s and 6.7 s).
#pragma once

#include <filesystem>

#include <larder/error.hpp>

#include "stress/history/history.hpp"

namespace larder::stress {

/// All of DIRECTORY/history.*, joined. Other names are none of ours.
/// Errors: `damaged` where a file is cut off, is no history, or says that Events were lost; where Events do not fit together.
/// `miss` where there is no history at all. A judgement over half of what happened would be worth nothing, so there is none.
[[nodiscard]] Result<History> read_history(const std::filesystem::path& directory);

}  // namespace larder::stress
