// SPDX-License-Identifier: MIT
// What is measured.
#pragma once

#include <vector>

#include "contest.hpp"

namespace bench {

/// How much is in the caches that are measured.
struct Sizes {
    unsigned more_keys = 10'000, many_keys = 1'000'000;
    unsigned garbage_files = 100'000;
    unsigned carried_files = 10'000;
};

/// Everything happens below `directory`.
[[nodiscard]] std::vector<Contest> contests(const fs::path& directory, const Sizes& sizes);

/// The cache of 500 entries that most rows share, unless it is there already.
void make_common_cache(const fs::path& root);

/// A bucket's directory in a cache, filled by hand with links that name nothing: where only their number matters.
void fill_bucket(const fs::path& root, const char* bucket, unsigned keys);

/// get while another process puts, refreshes and collects without pause, beside the bare reading of links under the same load: nanoseconds
/// for each call.
struct Busy {
    std::vector<double> get_alone, get_busy, links_alone, links_busy;
};
[[nodiscard]] Busy measure_busy(const fs::path& directory, unsigned rounds, unsigned calls);

/// How much more memory a process needs in a cache of `keys` keys than in one of a hundred, in bytes, to open, get, put and refresh.
[[nodiscard]] long memory_growth(const fs::path& directory, unsigned keys);

/// What it costs to choose, among `keys` entries, those that a limit takes.
struct Choosing {
    double seconds;
    long bytes;  ///< of memory
};
[[nodiscard]] Choosing measure_choosing(const fs::path& directory, unsigned keys);

}  // namespace bench
