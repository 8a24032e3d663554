// SPDX-License-Identifier: MIT
// What a wheel is and what is in it, checked before a byte of it is unpacked.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "failure.hpp"

namespace installer {

/// A bound on what one archive may cost.
struct Limits {
    /// Bytes, unpacked and counted as they come out. The largest wheels that people install (PyTorch with CUDA) unpack to
    /// between 1 and 3 GB; a zip of 10 MB can claim petabytes.
    std::uint64_t max_bytes = std::uint64_t{4} << 30;
    /// Files and directories. Arbitrary, because the largest packages have some 20,000.
    std::uint64_t max_members = 200'000;
};

/// A wheel file, known by its name and its seal.
struct WheelFile {
    fs::path path;
    std::string name;     ///< of the distribution, as the file name has it
    std::string version;  ///< likewise
    /// The key of its entry. The seal is in it because a name says too little: who builds `app-1.0-py3-none-any.whl` again
    /// after a change gets another entry, and whoever has the old one keeps it.
    std::string key;
    std::string seal;
};

/// The SHA-256 of a wheel's directory and of its RECORD, as they are in the archive. Between them they say all that there is to
/// install: the directory names every file, RECORD has a digest of each, SHA-256 or better, and unpack() compares them all. So
/// two wheels of one seal are unpacked to the same files, or refused; and of a wheel of any size this reads some kilobytes. (Of
/// one of 4 GiB or more it reads everything.) What it does not see is a file that is damaged in this copy of the wheel alone:
/// where the wheel's entry is in the cache, that is installed, with what RECORD promises; where it is not, unpack() refuses the
/// wheel. Errors: `build` where the archive has no directory, or one that is not in order.
[[nodiscard]] Result<std::string> seal_of(const fs::path& path);

/// Errors: `build` where the file's name is not a wheel's (NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl).
[[nodiscard]] Result<WheelFile> identify(const fs::path& path);

/// A member of a wheel, and what becomes of it.
struct PlannedFile {
    std::string destination;  ///< where it is installed, relative to the target
    bool is_script =
        false;  ///< from the scheme `scripts`: executable, and perhaps with a first line to be rewritten
    bool is_dropped = false;  ///< not installed: each installation has its own RECORD and INSTALLER
    std::string algorithm;    ///< of its digest; empty for RECORD, which can't hold its own
    std::string digest;       ///< as RECORD has it, in base64
};

struct Contents {
    std::string dist_info;                     ///< "NAME-VERSION.dist-info"
    std::map<std::string, PlannedFile> files;  ///< by the member's path in the archive
};

/// Reads the archive's directory and its metadata, not its files. Afterwards every member is a file at a place of its own below
/// the target, and has a digest, in RECORD, of a method that is good enough. Errors: `build` for anything else; the message
/// names the member.
[[nodiscard]] Result<Contents> inspect(const WheelFile& wheel, const Limits& limits);

}  // namespace installer
