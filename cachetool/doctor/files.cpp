// SPDX-License-Identifier: MIT
// What files can do: how `install` may share them, and what times they keep.
#include <fcntl.h>

#include <fmt/format.h>
#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <system_error>

#include "cachetool/doctor/doctor.hpp"

namespace cachetool::doctor {
namespace {

namespace fs = std::filesystem;

/// 0 or errno.
int clone(const fs::path& from, const fs::path& to) {
#ifdef FICLONE
    const int source = ::open(from.c_str(), O_RDONLY | O_CLOEXEC);
    const int target = ::open(to.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const int error = ::ioctl(target, FICLONE, source) == 0 ? 0 : errno;
    if (source >= 0) ::close(source);
    if (target >= 0) ::close(target);
    return error;
#else
    (void)from, (void)to;
    return ENOTSUP;
#endif
}

void probe_links(const fs::path& dir, Probes& probes) {
    std::ofstream(dir / "file") << "text";
    if (const int error = clone(dir / "file", dir / "clone"); error == 0) {
        probes.push_back({"clones", Verdict::ok, "work",
                          "install clones files: they share space until one of them is changed"});
    } else {
        probes.push_back({"clones", Verdict::limited, reason(error),
                          "install makes hard links, or copies where they don't work either"});
    }
    struct stat status {};
    const int error = ::link((dir / "file").c_str(), (dir / "link").c_str()) == 0 ? 0 : errno;
    if (error == 0 && ::stat((dir / "file").c_str(), &status) == 0 && status.st_nlink == 2) {
        probes.push_back({"hard links", Verdict::ok, "work", ""});
    } else {
        probes.push_back({"hard links", Verdict::limited,
                          error != 0 ? reason(error) : "are not counted",
                          "install clones or copies"});
    }
}

#ifdef __APPLE__
timespec modified(const struct stat& status) { return status.st_mtimespec; }
#else
timespec modified(const struct stat& status) { return status.st_mtim; }
#endif

void probe_times(const fs::path& dir, Probes& probes) {
    // An odd second, and a digit in each place of a fraction: what comes back shows what is kept. (The 10th of June 2009.)
    constexpr timespec sample{1'244'600'001, 123'456'789};
    const std::array times{sample, sample};
    std::ofstream(dir / "timed") << "text";
    struct stat status {};
    const auto timed = dir / "timed";
    if (::utimensat(AT_FDCWD, timed.c_str(), times.data(), 0) != 0 ||
        ::stat(timed.c_str(), &status) != 0) {
        probes.push_back({"times", Verdict::limited, reason(errno),
                          "installed copies are as old as the installation"});
    } else if (modified(status).tv_sec == sample.tv_sec && modified(status).tv_nsec != 0) {
        long step = 1;
        while (step < 1'000'000'000 && modified(status).tv_nsec % (step * 10) == 0) step *= 10;
        probes.push_back({"times", Verdict::ok, fmt::format("kept to {} ns", step), ""});
    } else {
        const bool whole = modified(status).tv_sec == sample.tv_sec;
        probes.push_back({"times", Verdict::limited,
                          whole ? "kept to the second" : "kept to two seconds or worse",
                          "build tools that compare times may take installed copies for changed"});
    }

    static_cast<void>(::symlink("somewhere", (dir / "symlink").c_str()));
    const auto link = dir / "symlink";
    if (::utimensat(AT_FDCWD, link.c_str(), times.data(), AT_SYMLINK_NOFOLLOW) == 0 &&
        ::lstat(link.c_str(), &status) == 0 && modified(status).tv_sec / 2 == sample.tv_sec / 2) {
        probes.push_back({"times of symlinks", Verdict::ok, "can be set", ""});
    } else {
        probes.push_back({"times of symlinks", Verdict::limited, reason(errno),
                          "installed symlinks are as old as the installation"});
    }
}

}  // namespace

void probe_files(const fs::path& scratch, Probes& probes) {
    const auto dir = scratch / "files";
    std::error_code error;
    fs::create_directory(dir, error);
    probe_links(dir, probes);
    probe_times(dir, probes);
}

}  // namespace cachetool::doctor
