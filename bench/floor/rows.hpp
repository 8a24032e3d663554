// SPDX-License-Identifier: MIT
// The rows of the benchmark.
#pragma once

#include <vector>

#include "contest.hpp"

namespace bench {

/// The sizes of the caches that are measured.
struct Sizes {
    unsigned more_keys = 10'000, many_keys = 1'000'000;
    unsigned garbage_files = 100'000;
    unsigned carried_files = 10'000;
    unsigned tables = 1'000, leases = 60'000;  ///< that other processes, or this one, hold
    unsigned depth = 4'000;                    ///< of a chain of directories
};

/// Returns the contests, which work below `directory`.
[[nodiscard]] std::vector<Contest> contests(const fs::path& directory, const Sizes& sizes);

/// Deletes a tree of any depth.
void delete_tree(const fs::path& tree);

/// Makes the cache of 500 entries that most rows share, unless it exists.
void make_common_cache(const fs::path& root);

/// Fills the directory of a bucket with links that name no entry. Use it if only their number
/// matters.
void fill_bucket(const fs::path& root, const char* bucket, unsigned keys);

/// The nanoseconds of each get while another process puts, refreshes and collects without a pause,
/// and of bare calls that read links under the same load.
struct Busy {
    std::vector<double> get_alone, get_busy, links_alone, links_busy;
};
[[nodiscard]] Busy measure_busy(const fs::path& directory, unsigned rounds, unsigned calls);

/// Returns how many more bytes of memory a process needs to open, get, put and refresh in a cache
/// of `keys` keys than in one of a hundred keys.
[[nodiscard]] long memory_growth(const fs::path& directory, unsigned keys);

/// The cost of choosing the entries that a limit takes.
struct Choosing {
    double seconds;
    long bytes;  ///< of memory
};
[[nodiscard]] Choosing measure_choosing(const fs::path& directory, unsigned keys);

}  // namespace bench
