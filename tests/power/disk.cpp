// SPDX-License-Identifier: MIT
#include "disk.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>

#include "os/points.hpp"
#include "support/image.hpp"

namespace larder::testing {

namespace {

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
    const fs::path image = dir / "disk";
    fs::create_directory(at_);
    mounted_ = ::geteuid() == 0 && make_image(image, type) && mount_image(image, type_, at_);
}

CutDisk::~CutDisk() {
    if (mounted_ && owner_ == ::getpid()) ::umount2(at_.c_str(), MNT_DETACH);
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
    require(run_shell("cp --sparse=always --reflink=auto " + (dir_ / "disk").string() + " " +
                      (dir_ / name).string()),
            "can't copy the disk");
}

void CutDisk::start_from(const std::string& name) {
    if (mounted_) unmount();
    // A file system is told from others by a number of its own, which the copy has, too.
    if (type_ == "btrfs") (void)run_shell("btrfs device scan --forget");
    mounted_ = mount_image(dir_ / name, type_, at_);
    require(mounted_, "can't mount the disk after the cut " + name);
}

void CutDisk::forget(const std::string& name) const { fs::remove(dir_ / name); }

void sync_path(const fs::path& path, int (*how)(int)) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    const bool synced = fd >= 0 && how(fd) == 0;
    ::close(fd);
    require(synced, "can't sync " + path.string());
}

void after_boot(const std::function<void()>& body) { in_boot(1, body); }
void in_this_boot(const std::function<void()>& body) { in_boot(0, body); }

}  // namespace larder::testing
