// SPDX-License-Identifier: MIT
// The text by which a build tells the programs that it runs which builds they work for. It stands
// in the environment, in LARDER_INSIDE.
//
//     LOCK:SINCE:KEY:ROOT,LOCK:SINCE:KEY:ROOT
//
// LOCK is the byte of the build's lock. SINCE is the time of the builder's activity, which tells
// this build of the key from a later one. Both are decimal. KEY is the path of the key's link below
// `buckets/`, which tells the key from another one with the same byte. ROOT is the path of the
// cache. Both are encoded as the fields of a record are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace larder::format {

inline constexpr const char* outer_builds_variable = "LARDER_INSIDE";

/// A build that a program works for: what a thread needs to find its holder in the lease tables.
struct OuterBuild {
    std::string root;               ///< the path of the cache
    std::uint64_t lock = 0;         ///< the byte of the build's lock; never 0
    std::uint64_t since_nanos = 0;  ///< of the builder's activity, since 1970
    std::string key_path;           ///< "<bucket>/<key>", encoded, below `buckets/`
    friend bool operator==(const OuterBuild&, const OuterBuild&) = default;
};

/// Returns the text for LARDER_INSIDE; an empty one if there is no build.
[[nodiscard]] std::string print_outer_builds(const std::vector<OuterBuild>& builds);
/// Reads a text that any program may have written. Leaves out what is not a build.
[[nodiscard]] std::vector<OuterBuild> parse_outer_builds(std::string_view text);

}  // namespace larder::format
