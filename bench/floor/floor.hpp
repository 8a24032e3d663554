// SPDX-License-Identifier: MIT
// The system calls that any implementation must make, without larder.
#pragma once

#include <string>

namespace bench {

/// Opens a directory for use in system calls. Ends the program if this fails.
[[nodiscard]] int open_directory(const std::string& path);

void read_link(int dir, const char* name);

/// Writes ten files of 4 KiB.
void write_files(int dir);

/// Makes a chain of directories, each in the one before it, and sets the time of each.
void make_chain(const std::string& top, unsigned depth);

/// All that a put needs: makes a tree of ten files, renames it into the archive, and replaces a
/// link to it.
struct BarePut {
    /// Makes the directory, and staging/, archive/ and buckets/bench-v1/ in it.
    explicit BarePut(const std::string& directory);
    void put(const char* id, const char* key) const;
    void undo(const char* id, const char* key) const;

    int root, staging, archive, bucket;
};

/// The locks of a bucket, each with an open file of its own. The gate is held while the lock is
/// taken exclusively, and is looked at before the lock is shared.
struct BareLocks {
    /// Makes the directory, and in it the file of the locks, pins/ and retired/.
    explicit BareLocks(const std::string& directory);
    /// Makes the file of a pin under the lock, shared.
    void pin(const char* key) const;
    void unpin(const char* key) const;
    /// Reads the link of a key, and renames it away, under the lock, exclusive.
    void remove(const char* key) const;
    void undo_remove(const char* key) const;

    int root, pins, retired;
};

/// Does what a short process needs: looks up one key under a shared lock.
void open_get_close(const std::string& lock_file, const std::string& buckets, const char* name);

}  // namespace bench
