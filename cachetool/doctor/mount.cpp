// SPDX-License-Identifier: MIT
// The file system as its mount describes it.
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <fmt/format.h>
#include <fstream>
#include <sstream>
#include <system_error>

#include "cachetool/doctor/doctor.hpp"
#include "cachetool/term/text.hpp"

#ifdef __linux__
#include <sys/sysmacros.h>
#endif

namespace cachetool::doctor {
namespace {

#ifdef __linux__
/// /proc writes a space, tab, line break or backslash in a path as three octal digits.
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

/// proc(5): "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue"
void read_mount(const std::filesystem::path& path, dev_t device, FileSystem& out) {
    std::ifstream mounts("/proc/self/mountinfo");
    const auto number = fmt::format("{}:{}", major(device), minor(device));
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
        const bool above = point == "/" || text == point || text.starts_with(point + "/");
        // The longest is the nearest, and the last of equals lies on top. btrfs numbers its parts differently here and in stat.
        if (!above || point.size() < out.mount_point.size() ||
            (numbers != number && type != "btrfs"))
            continue;
        out.mount_point = point;
        out.type = type;
        out.device = unescaped(source);
        out.options = options;
    }
}
#endif

}  // namespace

std::string reason(int error) { return std::generic_category().message(error); }

FileSystem file_system_of(const std::filesystem::path& path) {
    FileSystem out;
    struct statvfs volume {};
    if (::statvfs(path.c_str(), &volume) == 0) {
        out.bytes_free = std::uint64_t{volume.f_bavail} * volume.f_frsize;
        out.bytes_total = std::uint64_t{volume.f_blocks} * volume.f_frsize;
        out.inodes_free = volume.f_favail;
        out.inodes_total = volume.f_files;
        out.read_only = (volume.f_flag & ST_RDONLY) != 0;
#ifdef ST_NOATIME
        out.no_atime = (volume.f_flag & ST_NOATIME) != 0;
#endif
    }
#ifdef __linux__
    struct stat status {};
    if (::stat(path.c_str(), &status) == 0) read_mount(path, status.st_dev, out);
    // Of a root that is no mount, as in a chroot, the process is told nothing.
    if (out.type.empty()) out.type = "a file system whose mount can't be seen from here";
#endif
    return out;
}

void probe_mount(const FileSystem& file_system, Probes& probes) {
    if (file_system.read_only) {
        probes.push_back({"mount", Verdict::broken, "read-only",
                          "a cache there can be read, if there is one: mount it for writing to put "
                          "anything in"});
    } else {
        probes.push_back({"mount", Verdict::ok, "writable", ""});
    }
    if (file_system.type == "overlay") {
        probes.push_back({"layers", Verdict::limited, "overlay",
                          "in a cache that came with an image refresh retires key by key, and "
                          "collect deletes in place"});
    }
    if (file_system.no_atime) {
        probes.push_back({"access times", Verdict::limited, "noatime",
                          "nothing is known of an entry's last use: ls and info show the time of "
                          "its publishing"});
    } else {
        probes.push_back({"access times", Verdict::ok, "kept",
                          "an entry's last use is known, as exactly as the mount allows (relatime: "
                          "to the day)"});
    }
    // Arbitrary, because it depends on the entries; but every participant and every put takes some.
    constexpr std::uint64_t little_space = 100U << 20U, few_inodes = 10'000;
    auto found = shown_size(file_system.bytes_free) + " free";
    if (file_system.inodes_total != 0) found += fmt::format(", {} inodes", file_system.inodes_free);
    const bool counts = file_system.inodes_total != 0;
    if (file_system.bytes_free == 0 || (counts && file_system.inodes_free == 0)) {
        probes.push_back(
            {"space", Verdict::broken, found,
             "remove, refresh and gc still work in a cache that is there; nothing can be put in"});
    } else if (file_system.bytes_free < little_space ||
               (counts && file_system.inodes_free < few_inodes)) {
        probes.push_back({"space", Verdict::limited, found,
                          "a put may find the disk full: it then leaves everything as it was; "
                          "refresh and gc make room"});
    } else {
        probes.push_back({"space", Verdict::ok, found, ""});
    }
}

}  // namespace cachetool::doctor
