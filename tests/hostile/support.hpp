// SPDX-License-Identifier: MIT
// What the hostile tests share: small file systems, processes without rights, and snapshots that
// show every change.
#pragma once

#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <map>

#include "catch.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "support/cache.hpp"
#include "support/child.hpp"
#include "support/socket.hpp"

namespace larder::testing {

/// Says in the output that a test needs something that is missing here.
#define SKIP_UNLESS(condition, why)         \
    do {                                    \
        if (!(condition)) {                 \
            WARN("SKIPPED: needs " << why); \
            return;                         \
        }                                   \
    } while (false)

inline bool is_root_user() { return ::geteuid() == 0; }

#ifdef __linux__
/// Something that is mounted until the end of the scope; false if this process may not mount.
class Mount {
public:
    Mount(const std::string& source, fs::path at, const char* type, unsigned long flags = 0,
          const std::string& data = {})
        : at_(std::move(at)), owner_(::getpid()) {
        mounted_ = ::mount(source.c_str(), at_.c_str(), type, flags, data.c_str()) == 0;
    }
    Mount(const Mount&) = delete;
    Mount& operator=(const Mount&) = delete;
    ~Mount() {
        // It is detached: a cache that is still open in this scope, or a child that is being
        // killed, must not keep it.
        if (mounted_ && owner_ == ::getpid()) ::umount2(at_.c_str(), MNT_DETACH);
    }
    [[nodiscard]] explicit operator bool() const { return mounted_; }
    [[nodiscard]] const fs::path& path() const { return at_; }
    /// Mounts the same once more, with other flags.
    [[nodiscard]] bool again(unsigned long flags) const {
        return ::mount(nullptr, at_.c_str(), nullptr, MS_REMOUNT | flags, nullptr) == 0;
    }

private:
    fs::path at_;
    pid_t owner_;
    bool mounted_ = false;
};

/// Runs a command of the shell in silence. Returns whether it succeeded.
inline bool run(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str()) == 0;
}

/// A small file system in a file, mounted through a loop device that ends with the mount.
class LoopDisk {
public:
    static LoopDisk ext4(const fs::path& dir, const std::string& options) {
        return {dir, "8M", "mkfs.ext4 -q -m 0 " + options};
    }
    static LoopDisk btrfs(const fs::path& dir) { return {dir, "128M", "mkfs.btrfs -q -m single"}; }
    /// Less than 300 MiB mkfs.xfs refuses.
    static LoopDisk xfs(const fs::path& dir) { return {dir, "300M", "mkfs.xfs -q -m reflink=1"}; }

    LoopDisk(const LoopDisk&) = delete;
    LoopDisk& operator=(const LoopDisk&) = delete;
    ~LoopDisk() {
        if (mounted_ && owner_ == ::getpid()) ::umount2(at_.c_str(), MNT_DETACH);
    }
    [[nodiscard]] explicit operator bool() const { return mounted_; }
    [[nodiscard]] const fs::path& path() const { return at_; }

private:
    LoopDisk(const fs::path& dir, const std::string& size, const std::string& mkfs)
        : at_(dir / "mounted"), owner_(::getpid()) {
        fs::create_directory(at_);
        const std::string image = (dir / "image").string();
        mounted_ = is_root_user() && run("truncate -s " + size + " " + image) &&
                   run(mkfs + " " + image) && run("mount -o loop " + image + " " + at_.string());
        if (mounted_) fs::remove(at_ / "lost+found");
    }

    fs::path at_;
    pid_t owner_;
    bool mounted_ = false;
};
#endif

/// In a child: gives up root's rights forever.
inline void become_nobody() {
    constexpr uid_t nobody = 65534;
    Child::must(::setgroups(0, nullptr) == 0 && ::setgid(nobody) == 0 && ::setuid(nobody) == 0,
                "give up the rights of root");
}

/// Runs `body` in a forked process, and requires that all its checks (Child::must) hold.
inline void in_child(const std::function<void(Child&)>& body, Points points = {}) {
    Child child(body, std::move(points));
    REQUIRE(child.join() == 0);
}

/// Calls `hook` at each point until the end of the scope. Its result is the errno with which the
/// call behind the point fails.
class AtPoints {
public:
    explicit AtPoints(std::function<int(const std::string&)> hook) {
        os::set_point_hook([hook = std::move(hook)](const char* name) { return hook(name); });
    }
    AtPoints(const AtPoints&) = delete;
    AtPoints& operator=(const AtPoints&) = delete;
    ~AtPoints() { os::set_point_hook({}); }
};

/// Returns everything below `top`, and `top` itself: type, mode, owner, size, time of writing,
/// target or bytes. Opens only regular files.
inline std::map<std::string, std::string> exact_snapshot(const fs::path& top) {
    std::map<std::string, std::string> found;
    const auto add = [&](const fs::path& path) {
        struct stat status {};
        if (::lstat(path.c_str(), &status) != 0) throw std::runtime_error("no " + path.string());
        std::string text =
            std::to_string(status.st_mode) + " " + std::to_string(status.st_uid) + " " +
            std::to_string(status.st_ino) + " " + std::to_string(status.st_size) + " " +
            std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec) +
            " " + std::to_string(status.st_ctim.tv_sec) + "." +
            std::to_string(status.st_ctim.tv_nsec) + " ";
        if (S_ISLNK(status.st_mode)) text += fs::read_symlink(path).string();
        if (S_ISREG(status.st_mode)) text += read_file(path);
        found[path.lexically_relative(top).string()] = text;
    };
    add(top);
    for (const auto& entry : fs::recursive_directory_iterator(top)) add(entry.path());
    return found;
}

inline bool stands(const fs::path& path) { return fs::exists(fs::symlink_status(path)); }

}  // namespace larder::testing
