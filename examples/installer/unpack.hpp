// SPDX-License-Identifier: MIT
// From a wheel to an entry of the cache.
#pragma once

#include "wheel.hpp"

namespace installer {

/// The names in an entry of the bucket `wheels-v1`. Whoever changes what an entry looks like changes the bucket's name: then
/// old and new installers share a cache without meeting.
namespace entry {
inline constexpr const char* bucket = "wheels-v1";
inline constexpr const char* files = "files";  ///< laid out as in a target: what is materialized
inline constexpr const char* scripts =
    "scripts";  ///< likewise; begin with "#!python", which each target replaces
inline constexpr const char* record = "RECORD";  ///< lists `files`
}  // namespace entry

/// Fills `directory`, which is empty, with the wheel's files. Every digest in RECORD is compared with what was written.
/// Errors: `build` for a wheel that is not what the format asks, or is larger than the limits allow. What was written until
/// then stays, for the caller to delete: a Staging does.
[[nodiscard]] Result<> unpack(const WheelFile& wheel, const fs::path& directory,
                              const Limits& limits);

}  // namespace installer
