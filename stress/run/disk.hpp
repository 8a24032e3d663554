// SPDX-License-Identifier: MIT
// The file system below the cache: one of its own where a scenario wants a small one, filled up, and asked what it can do.
#pragma once

#include <cstdint>
#include <filesystem>

#include <larder/error.hpp>

#include "os/fd.hpp"

namespace larder::stress {

/// A tmpfs mounted on a directory, for as long as this lives. Errors: without the right to mount, `system`.
class SmallDisk {
public:
    [[nodiscard]] static Result<SmallDisk> mount(const std::filesystem::path& directory,
                                                 unsigned mib);
    SmallDisk(SmallDisk&& other) noexcept : directory_(std::move(other.directory_)) {
        other.directory_.clear();
    }
    SmallDisk& operator=(SmallDisk&&) = delete;
    ~SmallDisk();
    /// It stays when this ends: what is on it is evidence.
    void keep() noexcept { directory_.clear(); }

private:
    explicit SmallDisk(std::filesystem::path directory) : directory_(std::move(directory)) {}
    std::filesystem::path directory_;
};

/// A file that takes all space there is; gone with its destructor.
class BallastFile {
public:
    explicit BallastFile(std::filesystem::path path);
    ~BallastFile();
    BallastFile(const BallastFile&) = delete;
    BallastFile& operator=(const BallastFile&) = delete;
    void fill();

private:
    std::filesystem::path path_;
    os::Fd fd_;
    std::uint64_t size_ = 0;
};

/// Whether the file system has so little space that filling it hurts nobody else: less than 2 GiB in all.
[[nodiscard]] bool is_small(const std::filesystem::path& directory);

/// Whether the file system can exchange two names.
[[nodiscard]] bool can_exchange(const std::filesystem::path& directory);

/// The file system's type, as /proc/self/mounts says: for the report.
[[nodiscard]] std::string type_of(const std::filesystem::path& directory);

}  // namespace larder::stress
