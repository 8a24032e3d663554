// SPDX-License-Identifier: MIT
// The file system below the cache: mounts a small one, fills it up, and asks what it can do.
#pragma once

#include <cstdint>
#include <filesystem>

#include <larder/error.hpp>

namespace larder::stress {

/// A tmpfs that is mounted on a directory for as long as this object lives.
class SmallDisk {
public:
    /// Errors: `system` without the right to mount.
    [[nodiscard]] static Result<SmallDisk> mount_at(const std::filesystem::path& directory,
                                                    unsigned mib);
    SmallDisk(SmallDisk&& other) noexcept : directory_(std::move(other.directory_)) {
        other.directory_.clear();
    }
    SmallDisk& operator=(SmallDisk&&) = delete;
    ~SmallDisk();
    /// Leaves it mounted, since what is on it is evidence.
    void keep() noexcept { directory_.clear(); }

private:
    explicit SmallDisk(std::filesystem::path directory) : directory_(std::move(directory)) {}
    std::filesystem::path directory_;
};

/// A file that takes all free space. The destructor removes it.
class BallastFile {
public:
    explicit BallastFile(std::filesystem::path path);
    ~BallastFile();
    BallastFile(const BallastFile&) = delete;
    BallastFile& operator=(const BallastFile&) = delete;
    /// Takes the space that has become free since.
    void fill();

private:
    std::filesystem::path path_;
    int fd_;
    std::uint64_t size_ = 0;
};

/// Returns whether the file system is so small (less than 2 GiB) that filling it hurts no other
/// program.
[[nodiscard]] bool is_small(const std::filesystem::path& directory);

/// Returns whether the file system can exchange two names.
[[nodiscard]] bool can_exchange(const std::filesystem::path& directory);

/// Returns the type of the file system for the report, as /proc/self/mounts says.
[[nodiscard]] std::string type_of(const std::filesystem::path& directory);

}  // namespace larder::stress
