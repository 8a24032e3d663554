// SPDX-License-Identifier: MIT
// Unpacks a wheel into an entry of the cache.
#pragma once

#include "wheel.hpp"

namespace installer {

/// The names in an entry of the bucket `wheels-v2`. A change of this layout needs a new name of the
/// bucket. Then old and new installers share a cache, and neither sees the other's entries.
namespace entry {
inline constexpr const char* bucket = "wheels-v2";
inline constexpr const char* files = "files";  ///< the tree to be materialized in a target
/// A second tree, of files that begin with "#!python", which each target replaces.
inline constexpr const char* scripts = "scripts";
inline constexpr const char* record = "RECORD";  ///< lists `files`
}  // namespace entry

/// Fills `directory`, which is empty, with the files of the wheel. Compares every digest in RECORD
/// with what was written. Errors: `build` if the wheel does not follow the format or is larger than
/// the limits allow. What was written until then stays for the caller to delete, as a Staging does.
[[nodiscard]] Result<> unpack(const WheelFile& wheel, const fs::path& directory,
                              const WheelLimits& limits);

}  // namespace installer
