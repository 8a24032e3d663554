// SPDX-License-Identifier: MIT
// Reads the directory of a zip archive, byte for byte.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "failure.hpp"

namespace installer {

/// What the directory says of one member.
struct DirectoryLine {
    /// Stands for a number that does not fit into its four bytes, as in archives of 4 GiB and more.
    static constexpr std::uint64_t large = 0xffffffff;

    std::string name;          ///< may hold any bytes
    std::uint64_t start = 0;   ///< of the member's header, or `large`
    std::uint64_t packed = 0;  ///< the size of its bytes in the archive, or `large`
};

struct Directory {
    std::string bytes;
    std::vector<DirectoryLine> lines;
};

/// Returns the directory of the archive, with every name in it.
///
/// libarchive shows less: it ends a name at a NUL byte, and shows only one of two members that
/// share their bytes. Other readers do not. An archive in which this matters means different things
/// to different programs, so it must not be installed.
///
/// Errors: `build` if there is no directory right at the end of the file, or if it is damaged.
[[nodiscard]] Result<Directory> read_directory(const fs::path& archive);

/// Returns the header of a member and its bytes, which are all that the archive has of it besides
/// the directory. Requires: no number of `line` is `large`. Errors: `build` if there is no such
/// header, or if there are more bytes than any metadata has.
[[nodiscard]] Result<std::string> raw_member(const fs::path& archive, const DirectoryLine& line);

}  // namespace installer
