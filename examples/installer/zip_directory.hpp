// SPDX-License-Identifier: MIT
// The directory of a zip archive as it is written in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "failure.hpp"

namespace installer {

/// What the directory says about one member.
struct DirectoryLine {
    /// Stands for a number that is too large for its four bytes, as in archives of 4 GiB and more.
    static constexpr std::uint64_t large = 0xffffffff;

    std::string name;          ///< byte for byte
    std::uint64_t start = 0;   ///< of the member's header, or `large`
    std::uint64_t packed = 0;  ///< the size of its bytes in the archive, or `large`
};

struct Directory {
    std::string bytes;
    std::vector<DirectoryLine> lines;
};

/// The archive's directory, with every name in it. libarchive shows less: it ends a name at a NUL, and of two members
/// that share their bytes it shows one. Other readers do otherwise, so an archive where that matters means different things to
/// different programs, and is not for installing.
/// Errors: `build` where there is no directory right at the file's end, or it is not in order.
[[nodiscard]] Result<Directory> read_directory(const fs::path& archive);

/// A member's header and what follows it up to the end of its bytes: all that a reader has of it besides the directory.
/// Requires: no number of `line` is `large`.
/// Errors: `build` where there is no such header, or the bytes are more than any metadata has.
[[nodiscard]] Result<std::string> raw_member(const fs::path& archive, const DirectoryLine& line);

}  // namespace installer
