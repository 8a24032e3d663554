// SPDX-License-Identifier: MIT
// Caches in temporary directories, and functions that fill and check them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include <larder/larder.hpp>

namespace larder::testing {

namespace fs = std::filesystem;

/// A new directory below $LARDER_TEST_DIR; or below /dev/shm, if $LARDER_TEST_IN_MEMORY is set and
/// there is space; or below the system's directory for temporary files. The destructor deletes it,
/// but only in the process that made it.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
    std::int64_t owner_;
};

/// Returns the options with which every test opens a cache. All tests run with symlinks and with
/// $LARDER_TEST_LINKS=file, and with directories and with $LARDER_TEST_BUCKETS=pointer.
[[nodiscard]] OpenOptions test_options();
/// Returns whether links are junctions in these caches. A fake one, on a Linux that acts like
/// Windows, cannot be followed by the system.
[[nodiscard]] bool links_are_junctions();
/// Returns whether buckets are pointers in these caches.
[[nodiscard]] bool buckets_are_pointers();
/// Returns the directory that holds the keys of a bucket, which stands at this path in `buckets/`
/// or in `retired/buckets/`: that path itself, or a generation.
[[nodiscard]] fs::path keys_of(const fs::path& bucket);
[[nodiscard]] Cache open_cache(const fs::path& root, const OpenOptions& options = test_options());

/// Returns the value. An error fails the test, or ends the child, with its message.
template <class T>
T value(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Publishes a tree of the files "f0", "sub/f1" and "sub/deep/f2", which all hold `content`.
Lease put(const Bucket& bucket, const std::string& key, const std::string& content,
          const PublishOptions& options = {});
/// Writes these files.
void fill(const fs::path& tree, const std::string& content);
/// Returns the content that put() has written, or "" if there is no entry. Throws if the files
/// differ, because then the tree is a mixture.
[[nodiscard]] std::string content_of(const Bucket& bucket, const std::string& key);
[[nodiscard]] std::string content_of(const Lease& lease);

void write_file(const fs::path& path, const std::string& bytes);
[[nodiscard]] std::string read_file(const fs::path& path);
/// Returns the bytes of every file below `tree` by its path. For a symlink there is "<symlink>
/// target", for a directory "<dir>".
[[nodiscard]] std::map<std::string, std::string> snapshot(const fs::path& tree);
[[nodiscard]] std::size_t count_entries(const fs::path& directory);

[[nodiscard]] bool contains(const std::string& text, const std::string& part);

/// Checks invariant 6 after all processes have ended: collects once, and throws if verify finds
/// anything, or if the archive holds anything except the `live` entries.
void require_no_leak(const fs::path& root, std::size_t live);

}  // namespace larder::testing
