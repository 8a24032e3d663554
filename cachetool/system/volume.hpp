// SPDX-License-Identifier: MIT
// The file system that a path is on.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

namespace cachetool::system {

/// What can be learned of a file system without writing anything.
struct MountedVolume {
    std::string type;  ///< as in /proc/mounts, or a sentence if it is not known
    std::string device;
    std::string mount_point;  ///< empty if it is not known
    std::string options;
    bool read_only = false;
    bool no_atime = false;
    std::uint64_t bytes_free = 0;  ///< for this user
    std::uint64_t bytes_total = 0;
    std::uint64_t inodes_free = 0;
    std::uint64_t inodes_total = 0;  ///< 0 if the file system does not count inodes
};

[[nodiscard]] MountedVolume volume_of(const std::filesystem::path& path);

}  // namespace cachetool::system
