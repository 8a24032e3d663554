// SPDX-License-Identifier: MIT
// What the tests of trees share: temporary directories, children with fewer rights, mounts.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "catch.hpp"
#include "os/file.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"

namespace tree_test {

namespace fs = std::filesystem;
using larder::Errc;

/// A directory that every user may search, so that a child without rights reaches what it is given
/// there.
class TempDir {
public:
    explicit TempDir(const fs::path& in = fs::temp_directory_path()) {
        std::string name = in / "larder_tree.XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp");
        path_ = name;
        fs::permissions(path_, fs::perms(0755));
    }
    TempDir(const TempDir&) = delete;
    ~TempDir() {
        std::error_code ignored;
        fs::remove_all(path_, ignored);
    }
    [[nodiscard]] const fs::path& path() const { return path_; }
    [[nodiscard]] fs::path operator/(const fs::path& name) const { return path_ / name; }

private:
    fs::path path_;
};

inline void write(const fs::path& path, const std::string& bytes = "x") {
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << bytes;
}

inline std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
}

inline struct stat look(const fs::path& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) throw std::runtime_error("no " + path.string());
    return status;
}

inline void set_time(const fs::path& path, time_t seconds, long nanoseconds) {
    const timespec times[2] = {{0, UTIME_OMIT}, {seconds, nanoseconds}};
    if (::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
        throw std::runtime_error("utimensat");
}

inline larder::os::Dir open(const fs::path& path) {
    auto dir = larder::os::open_dir(path);
    if (!dir) throw std::runtime_error(dir.error().message());
    return std::move(*dir);
}

/// Calls `run` in a forked child, and returns the child's exit code: what `run` returns, 255 for an
/// exception, and 1000 and more if a signal ended the child.
inline int in_child(const std::function<int()>& run) {
    std::fflush(nullptr);
    const pid_t child = ::fork();
    if (child == 0) {
        int code = 255;
        try {
            code = run();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "in child: %s\n", error.what());
        }
        ::_exit(code);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + status;
}

inline bool is_root() { return ::geteuid() == 0; }

/// In a child: gives up root's rights. Does nothing for another user.
constexpr uid_t nobody = 65534;
inline void become_nobody() {
    if (!is_root()) return;
    if (::setgroups(0, nullptr) != 0 || ::setgid(nobody) != 0 || ::setuid(nobody) != 0)
        throw std::runtime_error("setuid");
}

/// Makes the user "nobody" own a directory and everything below.
inline void give_to_nobody(const fs::path& top) {
    if (!is_root()) return;
    if (::lchown(top.c_str(), nobody, nobody) != 0) throw std::runtime_error("lchown");
    if (!fs::is_directory(fs::symlink_status(top))) return;
    for (const auto& each : fs::recursive_directory_iterator(top)) {
        if (::lchown(each.path().c_str(), nobody, nobody) != 0) throw std::runtime_error("lchown");
    }
}

inline void limit(decltype(RLIMIT_NOFILE) what, rlim_t most) {
    const rlimit wanted{most, most};
    if (::setrlimit(what, &wanted) != 0) throw std::runtime_error("setrlimit");
}

/// Makes a chain of `levels` directories "d" below `top`, with a file "f" in the last: deeper than
/// any path can name.
inline void make_deep(const fs::path& top, int levels) {
    auto dir = open(top);
    for (int i = 0; i < levels; ++i) {
        auto next = larder::os::make_and_open_dir_at(dir, "d");
        if (!next) throw std::runtime_error(next.error().message());
        next->path = top;  // the true paths would take megabytes
        dir = std::move(*next);
    }
    if (!larder::os::write_new_file_at(dir, "f", "deep")) throw std::runtime_error("write");
}

/// Says in the output that a test needs something that is missing here.
#define SKIP_UNLESS(condition, why) \
    if (!(condition)) {             \
        WARN("SKIPPED: " << (why)); \
        return;                     \
    }

#ifdef __linux__
/// Something that is mounted until the end of the scope, if this process has the right to mount.
class Mounted {
public:
    Mounted(const std::string& source, fs::path at, const char* type, unsigned long flags,
            const std::string& options = {})
        : at_(std::move(at)) {
        works_ = ::mount(source.c_str(), at_.c_str(), type, flags, options.c_str()) == 0;
    }
    Mounted(const Mounted&) = delete;
    ~Mounted() {
        if (works_) ::umount2(at_.c_str(), MNT_DETACH);
    }
    explicit operator bool() const { return works_; }

private:
    fs::path at_;
    bool works_ = false;
};

/// A file system of this type in a file, mounted at its own directory.
class LoopMounted {
public:
    LoopMounted(const std::string& type, const std::string& size) : at_(dir_ / "at") {
        fs::create_directory(at_);
        const std::string image = dir_ / "image";
        works_ = is_root() && shell("truncate -s " + size + " " + image) &&
                 shell("mkfs." + type + " -q " + image) &&
                 shell("mount -o loop " + image + " " + at_.string());
    }
    LoopMounted(const LoopMounted&) = delete;
    ~LoopMounted() {
        if (works_) shell("umount " + at_.string());
    }
    explicit operator bool() const { return works_; }
    [[nodiscard]] const fs::path& path() const { return at_; }

private:
    static bool shell(const std::string& command) {
        return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
    }
    TempDir dir_;
    fs::path at_;
    bool works_ = false;
};
#endif

/// Calls a function at each pause point, until the end of the scope.
class AtPoint {
public:
    explicit AtPoint(std::function<int(const char*)> hook) {
        larder::os::set_point_hook(std::move(hook));
    }
    AtPoint(const AtPoint&) = delete;
    ~AtPoint() { larder::os::set_point_hook({}); }
};

}  // namespace tree_test
