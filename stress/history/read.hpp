// Reading the histories of a run.
//
// Memory: 64 bytes for each operation, 64 KiB for what is being read, and a few hundred bytes for each process. Ten million
// operations in 16 files took 670 MB at the highest (bench/judge.cpp makes them).
#pragma once

#include <filesystem>
#include <larder/error.hpp>
#include <stress/history/history.hpp>

namespace larder::stress {

/// All of DIRECTORY/history.*, joined. Other names are none of ours.
/// Errors: `damaged` where a file is cut off, is no history, or says that Events were lost; where Events do not fit together.
/// `miss` where there is no history at all. A judgement over half of what happened would be worth nothing, so there is none.
[[nodiscard]] Result<History> read_history(const std::filesystem::path& directory);

}  // namespace larder::stress
