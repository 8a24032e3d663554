// SPDX-License-Identifier: MIT
// The system calls that any implementation must make, as plain as they can be written. larder is not used here.
#pragma once

#include <string>

namespace bench {

/// A directory opened for use in system calls; gives up where that fails.
[[nodiscard]] int open_directory(const std::string& path);

void read_link(int dir, const char* name);

/// Ten files of 4 KiB.
void write_files(int dir);

/// Everything of a put: a tree of ten files made aside, moved to its place, and a link to it swapped in.
struct BarePut {
    explicit BarePut(
        const std::string&
            directory);  ///< makes it, and staging/, archive/ and buckets/bench-v1/ in it
    void put(const char* id, const char* key) const;
    void undo(const char* id, const char* key) const;

    int root, staging, archive, bucket;
};

/// A process that comes, looks up one key under a shared lock, and goes.
void open_get_close(const std::string& lock_file, const std::string& buckets, const char* name);

}  // namespace bench
