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

/// A wheel file, known by its name and its digest.
struct WheelFile {
    fs::path path;
    std::string name;     ///< of the distribution, as the file name has it
    std::string version;  ///< likewise
    /// The key of its entry. The digest is in it because a name says too little: who builds `app-1.0-py3-none-any.whl` again
    /// after a change gets another entry, and whoever has the old one keeps it.
    std::string key;
    std::string sha256;
};

/// Errors: `build` where the file's name is not a wheel's (NAME-VERSION[-BUILD]-PYTHON-ABI-PLATFORM.whl).
[[nodiscard]] Result<WheelFile> identify(const fs::path& path);

/// A member of a wheel, and what becomes of it.
struct PlannedFile {
    std::string destination;  ///< where it is installed, relative to the target
    bool is_script = false;   ///< from the scheme `scripts`: executable, and perhaps with a first line to be rewritten
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
