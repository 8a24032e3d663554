// SPDX-License-Identifier: MIT
// Identifies a wheel, and checks its contents before anything is unpacked.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "failure.hpp"

namespace installer {

/// How much one archive may cost.
struct WheelLimits {
    /// Bytes, counted while they are unpacked. The largest wheels that people install (PyTorch with
    /// CUDA) have between 1 and 3 GB. A zip file of 10 MB can claim petabytes.
    std::uint64_t max_bytes = std::uint64_t{4} << 30;
    /// Files and directories. Arbitrary, because the largest packages have about 20,000.
    std::uint64_t max_members = 200'000;
};

/// A wheel file, identified by its name and its seal.
struct WheelFile {
    fs::path path;
    std::string name;     ///< of the distribution, as in the file name
    std::string version;  ///< likewise
    /// The key of its entry. It contains the seal, because the name is not enough: a developer may
    /// change and rebuild `app-1.0-py3-none-any.whl`. The new file gets another entry, and
    /// processes that use the old entry keep it.
    std::string key;
    std::string seal;  ///< see seal_of
};

/// Returns the SHA-256 of a wheel's directory and of its RECORD, as they are in the archive.
///
/// The two decide what is installed. The directory names every file. RECORD has a digest of each,
/// at least SHA-256, and unpack() compares them all. So two wheels with the same seal are unpacked
/// to the same files, or are refused. The function reads some kilobytes of a wheel of any size,
/// except that it reads all of a wheel of 4 GiB or more.
///
/// The seal does not see a file that is damaged in this copy of the wheel alone. If the cache has
/// the entry, the entry is installed, with the files that RECORD promises. If not, unpack() refuses
/// the wheel.
///
/// Errors: `build` if the archive has no directory, or a damaged one.
[[nodiscard]] Result<std::string> seal_of(const fs::path& path);

/// Returns the name, the version, the seal and the key of a wheel.
/// Errors: `build` if the file is not named NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl, or as in
/// seal_of.
[[nodiscard]] Result<WheelFile> identify(const fs::path& path);

/// How a member of a wheel is installed.
struct PlannedFile {
    std::string destination;  ///< relative to the target
    /// From the scheme `scripts`: it is executable, and its first line may have to be rewritten.
    bool is_script = false;
    bool is_dropped = false;  ///< not installed: each installation has its own RECORD and so on
    std::string algorithm;    ///< of its digest; empty for RECORD, which cannot have its own
    std::string digest;       ///< as in RECORD, in base64
};

struct Contents {
    std::string dist_info;                     ///< "NAME-VERSION.dist-info"
    std::map<std::string, PlannedFile> files;  ///< by the member's path in the archive
};

/// Reads the directory and the metadata of the archive, but not its files. Afterwards each member
/// is known to be a file with a destination of its own below the target, and RECORD has a digest of
/// it, at least SHA-256. Errors: `build` for every other wheel. The message names the member.
[[nodiscard]] Result<Contents> inspect(const WheelFile& wheel, const WheelLimits& limits);

}  // namespace installer
