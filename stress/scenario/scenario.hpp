// SPDX-License-Identifier: MIT
// A scenario says how many processes do what to which keys, and which faults strike them. It is a
// small text file that people write:
//
//     # what it is for
//     processes 8
//     work  get 40       # of all operations, by weight
//     fault kill 2       # how often, in the fault's own measure
//
// Each line has one setting: a word and its value. `work` and `fault` have a name between them. `#`
// begins a comment.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <larder/error.hpp>

#include "stress/content/shape.hpp"

namespace larder::stress {

struct Scenario {
    std::string name;
    unsigned processes = 8;
    unsigned threads = 2;  ///< of each process
    unsigned seconds = 60;
    std::uint32_t buckets = 2;
    std::uint32_t keys = 8;  ///< of each bucket
    std::uint32_t fill = 0;  ///< keys of each bucket that are put before the run
    TreeSize tree = TreeSize::small;
    /// How many operations a process does before it ends by itself, on average. 0: it never does.
    unsigned life = 300;
    unsigned held = 8;  ///< leases that a thread keeps at most, to use them later
    unsigned lock_timeout_ms = 10'000;
    unsigned build_timeout_ms = 10'000;
    /// How long an operation that never waits may take, at least: see hostage_limit in run.cpp.
    unsigned held_up_ms = 10'000;
    unsigned power_percent = 1;  ///< of puts, removes and refreshes: how many are for power
    unsigned disk_mib = 0;       ///< size of a disk that is mounted for the cache; 0: none is
    std::string disk = "tmpfs";  ///< the file system of that disk: see disk_types
    std::map<std::string, double> work;    ///< weights
    std::map<std::string, double> faults;  ///< see fault_names

    /// Returns the measure of a fault; 0 if it does not strike.
    [[nodiscard]] double measure_of(const std::string& fault) const {
        const auto found = faults.find(fault);
        return found == faults.end() ? 0 : found->second;
    }
};

/// A name with a line of help about it.
struct HelpEntry {
    const char* name;
    const char* about;
};
/// Return every `work` and every `fault` that a scenario may name, in the order of the help.
[[nodiscard]] const std::vector<HelpEntry>& work_names();
[[nodiscard]] const std::vector<HelpEntry>& fault_names();

/// The file systems that the disk of a scenario may have. Only the power of a disk in an image file
/// can be cut, which are all but tmpfs.
inline constexpr std::string_view disk_types[] = {"tmpfs", "ext4", "xfs", "btrfs"};
/// Sets the file system of the disk. Errors: `invalid`.
[[nodiscard]] Result<> set_disk(Scenario& scenario, std::string_view type);

/// Parses a scenario. Errors: `invalid`, with the number of the line and what was expected there.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, std::string name);

/// Replaces the faults of a scenario. `list` is "none", or has names with a measure or without one,
/// as in "kill=5,stop". Faults that it does not name are off. Errors: `invalid`.
[[nodiscard]] Result<> choose_faults(Scenario& scenario, std::string_view list);

}  // namespace larder::stress
