// SPDX-License-Identifier: MIT
// A scenario: how many processes do what to which keys, and what strikes them. A small text file that people write.
//
//     # what it is for
//     processes 8
//     work  get 40       # of all operations, by weight
//     fault kill 2       # how often, in the fault's own measure
//
// One setting a line: a word, its value, and for `work` and `fault` a name before it. `#` begins a comment.
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
    std::uint32_t fill = 0;  ///< keys of each bucket that are put before the run begins
    TreeSize tree = TreeSize::small;
    unsigned life =
        300;  ///< operations of a process before it ends by itself, on average; 0: it lives until the end
    unsigned held = 8;  ///< leases that a thread keeps to use them later, at most
    unsigned lock_timeout_ms = 10'000;
    unsigned build_timeout_ms = 10'000;
    unsigned held_up_ms =
        10'000;  ///< what waits for nobody may take so long, at least: see hostage_limit in run.cpp
    unsigned disk_mib = 0;  ///< the cache gets a tmpfs of its own, of this size; 0: none
    std::map<std::string, double> work;    ///< weights
    std::map<std::string, double> faults;  ///< see fault_names

    /// A fault's measure; 0 where it does not strike.
    [[nodiscard]] double measure_of(const std::string& fault) const {
        const auto found = faults.find(fault);
        return found == faults.end() ? 0 : found->second;
    }
};

/// Every `work` and every `fault` that a scenario may name, with a line about it. In the order in which the help lists them.
struct HelpEntry {
    const char* name;
    const char* about;
};
[[nodiscard]] const std::vector<HelpEntry>& work_names();
[[nodiscard]] const std::vector<HelpEntry>& fault_names();

/// Errors: `invalid`, with the line's number and what was expected there.
[[nodiscard]] Result<Scenario> parse_scenario(std::string_view text, std::string name);

/// `list` as on the command line: "none", or names with a measure of their own or without ("kill=5,stop"): what is not named is
/// off. Errors: `invalid`.
[[nodiscard]] Result<> choose_faults(Scenario& scenario, std::string_view list);

}  // namespace larder::stress
