// SPDX-License-Identifier: MIT
// What `doctor` finds out about a file system, and what larder makes of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace cachetool::doctor {

enum class Verdict {
    ok,
    limited,  ///< larder works, and does something in another way
    broken,   ///< larder does not work here
};

struct Probe {
    std::string name;
    Verdict verdict = Verdict::ok;
    std::string found;   ///< what was seen
    std::string effect;  ///< what larder does because of that
};

using Probes = std::vector<Probe>;

/// What can be read without writing anything (doctor_mount.cpp).
struct FileSystem {
    std::string type;  ///< as in /proc/mounts; may be empty
    std::string device;
    std::string mount_point;
    std::string options;
    bool read_only = false;
    bool no_atime = false;
    std::uint64_t bytes_free = 0;  ///< for this user
    std::uint64_t bytes_total = 0;
    std::uint64_t inodes_free = 0;
    std::uint64_t inodes_total = 0;  ///< 0 where the file system does not count them
};

/// What an errno says.
[[nodiscard]] std::string reason(int error);
[[nodiscard]] FileSystem file_system_of(const std::filesystem::path& path);
void probe_mount(const FileSystem& file_system, Probes& probes);

// Each of these works in `scratch`, a directory of its own, and leaves it to the caller to remove what it has made there.
void probe_names(const std::filesystem::path& scratch, Probes& probes);      // doctor_names.cpp
void probe_files(const std::filesystem::path& scratch, Probes& probes);      // doctor_files.cpp
void probe_processes(const std::filesystem::path& scratch, Probes& probes);  // doctor_processes.cpp
/// Larder itself, in a cache of its own: what the library says is the truth, whatever the other probes have found
/// (doctor_trial.cpp).
void probe_larder(const std::filesystem::path& scratch, Probes& probes);

}  // namespace cachetool::doctor
