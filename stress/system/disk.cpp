// SPDX-License-Identifier: MIT
#include "stress/system/disk.hpp"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <fstream>
#include <sstream>

#include "os/file.hpp"
#include "os/rename.hpp"
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

bool can_exchange(const fs::path& directory) {
    const auto opened = os::open_dir(directory);
    if (!opened) return false;
    const std::string a = ".stress-probe-a", b = ".stress-probe-b";
    const bool made =
        os::write_new_file_at(*opened, a, "a") && os::write_new_file_at(*opened, b, "b");
    const bool works = made && os::exchange(*opened, a, *opened, b);
    (void)os::remove_file_at(*opened, a);
    (void)os::remove_file_at(*opened, b);
    return works;
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
