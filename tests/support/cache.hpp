// SPDX-License-Identifier: MIT
// Caches in temporary directories, and what tests put into them and find in them.
#pragma once

#include <filesystem>
#include <map>
#include <string>

#include <larder/larder.hpp>

namespace larder::testing {

namespace fs = std::filesystem;

/// A fresh directory below $LARDER_TEST_DIR (else the system's), deleted in the end by the process that made it.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] const fs::path& path() const { return path_; }

private:
    fs::path path_;
    pid_t owner_;
};

/// The options with which every test opens: the whole suite runs once with symlinks and once with $LARDER_TEST_LINKS=file.
[[nodiscard]] OpenOptions test_options();
[[nodiscard]] Cache open_cache(const fs::path& root, const OpenOptions& options = test_options());

/// An error fails the test, or ends the child, with its message.
template <class T>
T value(Result<T> result) {
    if (!result) throw std::runtime_error(result.error().message());
    if constexpr (!std::is_void_v<T>) return std::move(*result);
}

/// Publishes, by whatever way is shortest, a tree of a few files that all hold `content`: "f0", "sub/f1", "sub/deep/f2".
Lease put(const Bucket& bucket, const std::string& key, const std::string& content,
          const PublishOptions& options = {});
void fill(const fs::path& tree, const std::string& content);
/// What put() put, or "" where there is no entry. Throws where the files do not agree: a torn, mixed or foreign tree.
[[nodiscard]] std::string content_of(const Bucket& bucket, const std::string& key);
[[nodiscard]] std::string content_of(const Lease& lease);

void write_file(const fs::path& path, const std::string& bytes);
[[nodiscard]] std::string read_file(const fs::path& path);
/// Path -> bytes of every file below, "<symlink> target" for symlinks, "<dir>" for directories.
[[nodiscard]] std::map<std::string, std::string> snapshot(const fs::path& tree);
[[nodiscard]] std::size_t count_entries(const fs::path& directory);

[[nodiscard]] bool contains(const std::string& text, const std::string& part);

/// After all processes have ended: one collection leaves exactly the live entries (invariant 6), verify is sound, and nothing but
/// the `live` entries is in the archive. Throws with what is wrong.
void require_no_leak(const fs::path& root, std::size_t live);

}  // namespace larder::testing
