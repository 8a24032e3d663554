// SPDX-License-Identifier: MIT
// File systems in image files, mounted through loop devices. They need root.
#pragma once

#include <string>

#include "cache.hpp"

namespace larder::testing {

/// Runs a command of the shell, and drops what it prints. Returns whether it has succeeded.
bool run_shell(const std::string& command);

/// Makes an image file with a file system of this type: ext4, xfs or btrfs. Returns false if the
/// tools for it are missing.
[[nodiscard]] bool make_image(const fs::path& image, const std::string& type);

/// Mounts an image at a directory. The file system writes nothing by itself for half a minute.
/// Returns false if this process may not mount.
[[nodiscard]] bool mount_image(const fs::path& image, const std::string& type, const fs::path& at);

/// A new file system of this type, mounted as long as this lives. The process has no file of it
/// open at the end.
class MountedImage {
public:
    /// Keeps the image in the directory `dir`.
    MountedImage(const fs::path& dir, const std::string& type);
    ~MountedImage();
    MountedImage(const MountedImage&) = delete;
    MountedImage& operator=(const MountedImage&) = delete;
    /// Returns false if this process may not mount, or if the tools for this type are missing.
    [[nodiscard]] explicit operator bool() const { return mounted_; }
    /// Returns the top of the file system.
    [[nodiscard]] const fs::path& top() const { return at_; }

private:
    fs::path at_;
    bool mounted_ = false;
};

}  // namespace larder::testing
