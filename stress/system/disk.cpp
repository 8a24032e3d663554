// SPDX-License-Identifier: MIT
#include "stress/system/disk.hpp"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>

#include <larder/try.hpp>

#include "stress/system/command.hpp"
#include "stress/system/posix.hpp"

namespace larder::stress {

namespace fs = std::filesystem;

Result<SmallDisk> SmallDisk::mount_at(const fs::path& directory, unsigned mib) {
    const std::string options = "size=" + std::to_string(mib) + "m,mode=0700";
    if (::mount("larder-stress", directory.c_str(), "tmpfs", 0, options.c_str()) != 0)
        return failure(last_reason(), "mount a tmpfs", directory);
    return SmallDisk(directory);
}

SmallDisk::~SmallDisk() {
    if (!directory_.empty()) (void)::umount2(directory_.c_str(), MNT_DETACH);
}

namespace {

/// How a file system is made and mounted.
struct DiskTools {
    std::vector<std::string> make;
    std::string options;
};
/// Each writes by itself after a second, if it has an option for that, so that cuts at random times
/// find many states.
const std::map<std::string, DiskTools> disk_tools = {
    {"ext4", {{"mkfs.ext4", "-q", "-F"}, "loop,commit=1"}},
    {"xfs", {{"mkfs.xfs", "-q", "-f"}, "loop,nouuid"}},
    {"btrfs", {{"mkfs.btrfs", "-q", "-f"}, "loop,commit=1"}},
};

/// Runs a tool of the system that is found in PATH.
Result<> run_tool(std::vector<std::string> words, const fs::path& about) {
    const std::string name = words.front();
    words.insert(words.begin(), "/usr/bin/env");
    const CommandRun ran = run_command(words, {}, [] {});
    if (ran.started && ran.code == 0) return {};
    return failure(Errc::system, "run a tool", about,
                   ran.code == 127 ? "there is no " + name + ": install it"
                                   : name + " ended with " + std::to_string(ran.code));
}

Result<> make_image(const fs::path& image, std::uint64_t bytes, const std::string& type) {
    const Fd fd(::open(image.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!fd || ::ftruncate(fd.get(), static_cast<off_t>(bytes)) != 0)
        return failure(last_reason(), "make an image", image);
    auto words = disk_tools.at(type).make;
    words.push_back(image.string());
    return run_tool(std::move(words), image);
}

Result<> mount_image(const fs::path& image, const fs::path& at, const std::string& options) {
    return run_tool({"mount", "-o", options, image.string(), at.string()}, at);
}

/// Copies a file at one instant.
Result<> clone_file(const fs::path& from, const fs::path& to) {
    const Fd source(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    const Fd target(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!source || !target || ::ioctl(target.get(), FICLONE, source.get()) != 0) {
        const auto reason = last_reason();
        (void)::unlink(to.c_str());
        return failure(reason, "copy an image", to);
    }
    return {};
}

bool can_clone(const fs::path& directory) {
    const fs::path from = directory / "probe", to = directory / "probe-copy";
    const bool made = std::ofstream(from).write("x", 1).flush().good();
    const bool cloned = made && clone_file(from, to).has_value();
    (void)::unlink(from.c_str());
    (void)::unlink(to.c_str());
    return cloned;
}

}  // namespace

Result<CutDisk> CutDisk::mount_at(const fs::path& directory, const fs::path& store,
                                  const std::string& type, unsigned mib) {
    // Sparse files: no more of them is used than is written.
    constexpr std::uint64_t store_size = std::uint64_t{64} << 30;
    CutDisk disk(directory, store, type);
    if (!can_clone(store)) {
        const fs::path file = store / "store", inner = store / "mounted";
        LARDER_TRY(make_image(file, store_size, "xfs"));
        if (::mkdir(inner.c_str(), 0700) != 0)
            return failure(last_reason(), "make a directory", inner);
        LARDER_TRY(mount_image(file, inner, disk_tools.at("xfs").options));
        disk.store_ = inner;
        disk.store_is_mounted_ = true;
    }
    LARDER_TRY(make_image(disk.image(0), std::uint64_t{mib} << 20, type));
    LARDER_TRY(disk.attach(0));
    return disk;
}

CutDisk::CutDisk(CutDisk&& other) noexcept
    : directory_(std::move(other.directory_)),
      store_(std::move(other.store_)),
      type_(std::move(other.type_)),
      store_is_mounted_(other.store_is_mounted_) {
    other.directory_.clear();
}

CutDisk::~CutDisk() {
    if (directory_.empty()) return;
    (void)::umount2(directory_.c_str(), MNT_DETACH);
    if (store_is_mounted_) (void)::umount2(store_.c_str(), MNT_DETACH);
}

fs::path CutDisk::image(std::uint32_t number) const {
    return store_ / (number == 0 ? "disk" : "cut-" + std::to_string(number));
}

Result<> CutDisk::attach(std::uint32_t number) const {
    // btrfs tells its disks apart by a number that the copies have, too.
    if (type_ == "btrfs") (void)run_tool({"btrfs", "device", "scan", "--forget"}, directory_);
    return mount_image(image(number), directory_, disk_tools.at(type_).options);
}

Result<> CutDisk::detach() const {
    // The last process that used it has ended, and the kernel may still be closing its files.
    constexpr int attempts = 1000;
    for (int i = 0; ::umount2(directory_.c_str(), 0) != 0; ++i) {
        if (errno != EBUSY || i == attempts)
            return failure(last_reason(), "unmount a disk", directory_);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return {};
}

Result<> CutDisk::cut(std::uint32_t number) const { return clone_file(image(0), image(number)); }

Result<> CutDisk::show(std::uint32_t number) const {
    LARDER_TRY(detach());
    return attach(number);
}

void CutDisk::forget(std::uint32_t number) const { (void)::unlink(image(number).c_str()); }

BallastFile::BallastFile(fs::path path)
    : path_(std::move(path)), fd_(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) {
    fill();
}

BallastFile::~BallastFile() {
    if (fd_ >= 0) ::close(fd_);
    (void)::unlink(path_.c_str());
}

void BallastFile::fill() {
    constexpr std::uint64_t largest = 64 << 20, smallest = 4096;
    for (std::uint64_t step = largest; fd_ >= 0 && step >= smallest;) {
        if (::posix_fallocate(fd_, static_cast<off_t>(size_), static_cast<off_t>(step)) == 0) {
            size_ += step;
        } else {
            step /= 2;
        }
    }
}

bool is_small(const fs::path& directory) {
    struct statvfs status {};
    // Arbitrary: no home directory is that small, but the disk of a test is.
    constexpr std::uint64_t limit = std::uint64_t{2} << 30;
    return ::statvfs(directory.c_str(), &status) == 0 &&
           std::uint64_t{status.f_blocks} * status.f_frsize < limit;
}

std::string type_of(const fs::path& directory) {
    std::error_code failed;
    const std::string path = fs::canonical(directory, failed).string();
    std::ifstream mounts("/proc/self/mounts");
    std::string best_type = "unknown", line;
    std::size_t best = 0;
    while (std::getline(mounts, line)) {
        std::istringstream words(line);
        std::string device, at, type;
        words >> device >> at >> type;
        const bool covers = at == "/" || (path.starts_with(at) &&
                                          (path.size() == at.size() || path[at.size()] == '/'));
        if (covers && at.size() >= best) best = at.size(), best_type = type;
    }
    return best_type;
}

}  // namespace larder::stress
