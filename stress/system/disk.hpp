// SPDX-License-Identifier: MIT
// The file system below the cache: mounts a small one, fills it up, and asks what it can do.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

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

/// A disk with a file system of its own in an image file, which is mounted on a directory for as
/// long as this object lives. Its power can be cut.
///
/// A *cut* is a copy of the image, made at one instant (FICLONE) while the file system is at work.
/// It has what was written by then, in the order of the file system's own barriers, and nothing
/// that was only in memory. So it is what a machine finds whose power fails at that instant. The
/// images lie on a file system that can make such copies: the one of `store`, or an xfs in a file
/// there.
class CutDisk {
public:
    /// Makes the disk. `type` is ext4, xfs or btrfs. The images lie below `store`, an empty
    /// directory. Errors: `system` if this process may not mount, or if a tool is missing.
    [[nodiscard]] static Result<CutDisk> mount_at(const std::filesystem::path& directory,
                                                  const std::filesystem::path& store,
                                                  const std::string& type, unsigned mib);
    CutDisk(CutDisk&& other) noexcept;
    CutDisk& operator=(CutDisk&&) = delete;
    ~CutDisk();
    /// Leaves everything mounted, since what is on it is evidence.
    void keep() noexcept { directory_.clear(); }

    /// Cuts the power of a copy of the disk. The disk itself goes on. `number` is above 0.
    [[nodiscard]] Result<> cut(std::uint32_t number) const;
    /// Mounts what that cut has left, in place of the disk; or, for number 0, the disk again.
    /// Requires: no process uses the disk.
    [[nodiscard]] Result<> show(std::uint32_t number) const;
    /// Deletes what that cut has left. Requires: it is not mounted.
    void forget(std::uint32_t number) const;

private:
    CutDisk(std::filesystem::path directory, std::filesystem::path store, std::string type)
        : directory_(std::move(directory)), store_(std::move(store)), type_(std::move(type)) {}
    [[nodiscard]] std::filesystem::path image(std::uint32_t number) const;
    [[nodiscard]] Result<> attach(std::uint32_t number) const;
    [[nodiscard]] Result<> detach() const;

    std::filesystem::path directory_, store_;
    std::string type_;
    bool store_is_mounted_ = false;
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

/// Returns the type of the file system for the report, as /proc/self/mounts says.
[[nodiscard]] std::string type_of(const std::filesystem::path& directory);

}  // namespace larder::stress
