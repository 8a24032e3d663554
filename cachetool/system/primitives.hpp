// SPDX-License-Identifier: MIT
// What larder asks of a system beyond what <filesystem> knows, tried out call by call.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace cachetool::system {

/// A call, or a row of calls, and what came of it.
struct Primitive {
    std::string name;
    bool is_as_hoped = false;  ///< larder's first way works; it has another one
    std::string found;         ///< what was observed, with the system's number if a call failed
    std::string effect;        ///< what larder does if it is not as hoped; may be empty
};

/// Tries the calls of Windows on the file system of the directory `scratch`, in which it leaves
/// what it has made. The first row says which system this is. Returns no rows on POSIX: there the
/// probes that every system has try all calls.
[[nodiscard]] std::vector<Primitive> try_primitives(const std::filesystem::path& scratch);

}  // namespace cachetool::system
