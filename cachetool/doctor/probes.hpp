// SPDX-License-Identifier: MIT
// What doctor finds out about a file system, and what larder makes of it.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <larder/cache.hpp>

#include "cachetool/system/volume.hpp"

namespace cachetool::doctor {

enum class ProbeVerdict {
    ok,
    limited,  ///< larder works, and does something in another way
    broken,   ///< larder does not work here
};

[[nodiscard]] std::string_view name_of(ProbeVerdict verdict);

struct ProbeResult {
    std::string name;
    ProbeVerdict verdict = ProbeVerdict::ok;
    std::string found;   ///< what was observed
    std::string effect;  ///< what larder does because of that; may be empty
};

using ProbeResults = std::vector<ProbeResult>;

/// Returns which kinds of links and of buckets a cache has.
[[nodiscard]] std::string kinds_of(const larder::Cache& cache);

/// Judges what the mount says about itself (mount.cpp).
void probe_mount(const system::MountedVolume& volume, ProbeResults& results);

// Each of these works in `scratch`, and leaves it to the caller to remove what it has made there.

/// Links, and the renames that publish and retire them (names.cpp).
void probe_names(const std::filesystem::path& scratch, ProbeResults& results);
/// The calls that a system has beside those of POSIX (primitives.cpp).
void probe_primitives(const std::filesystem::path& scratch, ProbeResults& results);
/// How `install` can share files, and which times they keep (files.cpp).
void probe_files(const std::filesystem::path& scratch, ProbeResults& results);
/// What two processes see of each other: locks and mapped memory. Leases, and the answer to whether
/// a process is alive, rest on these (processes.cpp).
void probe_processes(const std::filesystem::path& scratch, ProbeResults& results);
/// Larder itself, in a cache of its own. The verdict of the library counts, whatever the other
/// probes have found (trial.cpp).
void probe_larder(const std::filesystem::path& scratch, ProbeResults& results);

}  // namespace cachetool::doctor
