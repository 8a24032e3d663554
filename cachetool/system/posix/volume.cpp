// SPDX-License-Identifier: MIT
#include "cachetool/system/volume.hpp"

#include <sys/stat.h>
#include <sys/statvfs.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif
#ifdef __APPLE__
#include <sys/mount.h>
#include <sys/param.h>
#endif

#include <sstream>

#include "cachetool/system/files.hpp"
#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {
namespace {

#ifdef __linux__
/// Returns `text`, from /proc, with each octal escape replaced by the character that it stands for:
/// a space, tab, line break or backslash.
std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            out += static_cast<char>(std::stoi(text.substr(i + 1, 3), nullptr, 8));
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// Reads what proc(5) describes by this example:
/// "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
void read_mount(const std::filesystem::path& path, dev_t device, MountedVolume& volume) {
    std::string text_of_mounts;
    static_cast<void>(read_text("/proc/self/mountinfo", text_of_mounts));
    std::istringstream mounts(text_of_mounts);
    const auto number = std::to_string(major(device)) + ":" + std::to_string(minor(device));
    for (std::string line; std::getline(mounts, line);) {
        std::istringstream fields(line);
        std::string id, parent, numbers, root, point, options, field;
        fields >> id >> parent >> numbers >> root >> point >> options;
        while (fields >> field && field != "-") {
        }
        std::string type, source;
        fields >> type >> source;
        point = unescaped(point);
        const auto& text = path.native();
        const bool is_above = point == "/" || text == point || text.starts_with(point + "/");
        // The longest mount point is the nearest, and the last of equals lies on top. btrfs numbers
        // its parts differently here and in stat.
        if (!is_above || point.size() < volume.mount_point.size() ||
            (numbers != number && type != "btrfs"))
            continue;
        volume.mount_point = point;
        volume.type = type;
        volume.device = unescaped(source);
        volume.options = options;
    }
}

void describe_mount(const std::filesystem::path& path, MountedVolume& volume) {
    struct stat status {};
    if (retry([&] { return ::stat(path.c_str(), &status); }) == 0)
        read_mount(path, status.st_dev, volume);
    // A process in a chroot is told nothing of a root that is no mount point.
    if (volume.type.empty()) volume.type = "a file system whose mount can't be seen from here";
}
#elif defined(__APPLE__)
void describe_mount(const std::filesystem::path& path, MountedVolume& volume) {
    struct statfs mount {};
    if (retry([&] { return ::statfs(path.c_str(), &mount); }) != 0) return;
    volume.type = mount.f_fstypename;
    volume.device = mount.f_mntfromname;
    volume.mount_point = mount.f_mntonname;
    volume.options = (mount.f_flags & MNT_RDONLY) != 0 ? "ro" : "rw";
    volume.no_atime = (mount.f_flags & MNT_NOATIME) != 0;
    if (volume.no_atime) volume.options += ",noatime";
}
#else
void describe_mount(const std::filesystem::path&, MountedVolume& volume) {
    volume.type = "a file system of a type that is not known here";
}
#endif

}  // namespace

MountedVolume volume_of(const std::filesystem::path& path) {
    MountedVolume volume;
    struct statvfs counts {};
    if (retry([&] { return ::statvfs(path.c_str(), &counts); }) == 0) {
        volume.bytes_free = std::uint64_t{counts.f_bavail} * counts.f_frsize;
        volume.bytes_total = std::uint64_t{counts.f_blocks} * counts.f_frsize;
        volume.inodes_free = counts.f_favail;
        volume.inodes_total = counts.f_files;
        volume.read_only = (counts.f_flag & ST_RDONLY) != 0;
#ifdef ST_NOATIME
        volume.no_atime = (counts.f_flag & ST_NOATIME) != 0;
#endif
    }
    describe_mount(path, volume);
    return volume;
}

}  // namespace cachetool::system
