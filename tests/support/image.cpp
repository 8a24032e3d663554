// SPDX-License-Identifier: MIT
#include "image.hpp"

#include <sys/mount.h>
#include <unistd.h>

#include <cstdlib>
#include <map>

namespace larder::testing {

namespace {

/// How a file system is made and mounted. The sizes are the smallest that its tools accept, or
/// little more. btrfs has far more: it writes all its changes as soon as it has promised more space
/// for them than a part of what is free.
struct ImageType {
    const char* size;
    const char* mkfs;
    const char* options;  ///< xfs writes its log every 30 s, and has no option for that
};
const std::map<std::string, ImageType> types = {
    {"ext4", {"32M", "mkfs.ext4 -q -F", "loop,commit=900"}},
    {"xfs", {"300M", "mkfs.xfs -q -f", "loop,nouuid"}},
    {"btrfs", {"1G", "mkfs.btrfs -q -f -m single", "loop,commit=300"}},
};

}  // namespace

bool run_shell(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

bool make_image(const fs::path& image, const std::string& type) {
    const ImageType& how = types.at(type);
    return run_shell(std::string("truncate -s ") + how.size + " " + image.string()) &&
           run_shell(std::string(how.mkfs) + " " + image.string());
}

bool mount_image(const fs::path& image, const std::string& type, const fs::path& at) {
    return ::geteuid() == 0 && run_shell("mount -o " + std::string(types.at(type).options) + " " +
                                         image.string() + " " + at.string());
}

MountedImage::MountedImage(const fs::path& dir, const std::string& type) : at_(dir / "mounted") {
    fs::create_directory(at_);
    const fs::path image = dir / "image";
    mounted_ = ::geteuid() == 0 && make_image(image, type) && mount_image(image, type, at_);
}

MountedImage::~MountedImage() {
    if (mounted_) ::umount2(at_.c_str(), MNT_DETACH);
}

}  // namespace larder::testing
