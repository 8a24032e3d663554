// SPDX-License-Identifier: MIT
#include "disk.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <map>
#include <stdexcept>

#include "os/points.hpp"

namespace larder::testing {

namespace {

/// How a file system is made and mounted. The sizes are the smallest that its tools accept, or
/// little more. btrfs has far more: it writes all its changes as soon as it has promised more space
/// for them than a part of what is free.
struct DiskType {
    const char* size;
    const char* mkfs;
    const char* options;  ///< xfs writes its log every 30 s, and has no option for that
};
const std::map<std::string, DiskType> types = {
    {"ext4", {"32M", "mkfs.ext4 -q -F", "loop,commit=900"}},
    {"xfs", {"300M", "mkfs.xfs -q -f", "loop,nouuid"}},
    {"btrfs", {"1G", "mkfs.btrfs -q -f -m single", "loop,commit=300"}},
};

bool run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

void require(bool good, const std::string& what) {
    if (!good) throw std::runtime_error(what);
}

void in_boot(int boot, const std::function<void()>& body) {
    Child child([&](Child&) {
        os::set_point_hook(
            [boot](const char* name) { return name == std::string("os.other-boot") ? boot : 0; });
        body();
    });
    require(child.join() == 0, "the process has failed");
}

}  // namespace

CutDisk::CutDisk(const fs::path& dir, const std::string& type)
    : type_(type), dir_(dir), at_(dir / "mounted"), owner_(::getpid()) {
    const DiskType& how = types.at(type);
    const std::string image = (dir / "disk").string();
    fs::create_directory(at_);
    mounted_ = ::geteuid() == 0 && run(std::string("truncate -s ") + how.size + " " + image) &&
               run(std::string(how.mkfs) + " " + image) && mount(image);
}

CutDisk::~CutDisk() {
    if (mounted_ && owner_ == ::getpid()) ::umount2(at_.c_str(), MNT_DETACH);
}

bool CutDisk::mount(const fs::path& image) {
    return run("mount -o " + std::string(types.at(type_).options) + " " + image.string() + " " +
               at_.string());
}

void CutDisk::unmount() {
    eventually("the disk is not in use", [&] {
        if (::umount2(at_.c_str(), 0) == 0) return true;
        require(errno == EBUSY, "can't unmount " + at_.string());
        return false;
    });
    mounted_ = false;
}

void CutDisk::sync() const { sync_path(at_, ::syncfs); }

void CutDisk::write_names_alone() const {
    // On btrfs the sync of a directory writes the names in that directory alone, unless one of them
    // has been renamed into another directory. Then it writes all names, as ext4 and xfs do.
    const fs::path one = at_ / "one", other = at_ / "other";
    fs::create_directory(one);
    fs::create_directory(other);
    write_file(one / "file", "");
    fs::rename(one / "file", other / "file");
    sync_path(one, ::fsync);
}

void CutDisk::cut(const std::string& name) {
    require(run("cp --sparse=always --reflink=auto " + (dir_ / "disk").string() + " " +
                (dir_ / name).string()),
            "can't copy the disk");
}

void CutDisk::start_from(const std::string& name) {
    if (mounted_) unmount();
    // A file system is told from others by a number of its own, which the copy has, too.
    if (type_ == "btrfs") (void)run("btrfs device scan --forget");
    mounted_ = mount(dir_ / name);
    require(mounted_, "can't mount the disk after the cut " + name);
}

void sync_path(const fs::path& path, int (*how)(int)) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && how(fd) == 0;
    ::close(fd);
    require(synced, "can't sync " + path.string());
}

void after_boot(const std::function<void()>& body) { in_boot(1, body); }
void in_this_boot(const std::function<void()>& body) { in_boot(0, body); }

}  // namespace larder::testing
