// SPDX-License-Identifier: MIT
#include "os/file.hpp"

#include <fcntl.h>
#include <sys/statvfs.h>
#ifdef __linux__
#include <sys/syscall.h>
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif
#endif

#include <array>
#include <atomic>
#include <cerrno>

#include "os/points.hpp"

namespace larder::os {

namespace {

constexpr int open_dir_flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;

enum class RenameFlag { noreplace, exchange };

/// The system's atomic rename with a flag; -1 and EINVAL or ENOSYS where it or the file system has none.
int rename_with_flag(int from_dir, const char* from, int to_dir, const char* to, RenameFlag flag) {
    if (const int error = point(flag == RenameFlag::exchange ? "os.exchange" : "os.noreplace")) {
        errno = error;
        return -1;
    }
#if defined(__linux__) && defined(SYS_renameat2)
    // The system call and not glibc's wrapper: musl has none. The flags' values are the kernel's ABI.
    constexpr unsigned noreplace = 1, swap = 2;
    return static_cast<int>(::syscall(SYS_renameat2, from_dir, from, to_dir, to,
                                      flag == RenameFlag::exchange ? swap : noreplace));
#elif defined(__APPLE__)
    return ::renameatx_np(from_dir, from, to_dir, to,
                          flag == RenameFlag::exchange ? RENAME_SWAP : RENAME_EXCL);
#else
    (void)from_dir, (void)from, (void)to_dir, (void)to;
    errno = ENOSYS;
    return -1;
#endif
}

bool flag_unknown(int error) { return error == EINVAL || error == ENOSYS || error == EOPNOTSUPP; }

tl::unexpected<Error> rename_failed(int error, const Dir& from_dir, const std::string& from,
                                    const Dir& to_dir, const std::string& to) {
    return fail(error, "rename", from_dir / from, "to " + (to_dir / to).string());
}

}  // namespace

Result<Dir> open_dir(const std::filesystem::path& path) {
    const int fd = retry([&] { return ::open(path.c_str(), open_dir_flags); });
    if (fd < 0) return fail(errno, "open directory", path);
    return Dir{Fd(fd), path};
}

Result<Dir> open_dir_at(const Dir& parent, const std::string& name) {
    if (!parent.fd) return fail(ENOENT, "open directory", parent / name);
    const int fd =
        retry([&] { return ::openat(parent.get(), name.c_str(), open_dir_flags | O_NOFOLLOW); });
    if (fd < 0) return fail(errno, "open directory", parent / name);
    return Dir{Fd(fd), parent / name};
}

namespace {

/// Cleared where the kernel has no openat2, or a sandbox forbids it.
std::atomic<bool> openat2_works{true};

/// openat2 that crosses no mount; -1 and ENOSYS where there is none.
int open_unmounted(int parent, const char* name) {
    if (const int error = point("os.openat2")) {
        errno = error;
        return -1;
    }
#if defined(__linux__) && defined(SYS_openat2) && __has_include(<linux/openat2.h>)
    open_how how{};
    how.flags = open_dir_flags | O_NOFOLLOW;
    how.resolve = RESOLVE_NO_XDEV;
    return static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how));
#else
    (void)parent, (void)name;
    errno = ENOSYS;
    return -1;
#endif
}

}  // namespace

Result<Dir> open_dir_unmounted_at(const Dir& parent, const std::string& name) {
    if (openat2_works) {
        const int fd = retry([&] { return open_unmounted(parent.get(), name.c_str()); });
        if (fd >= 0) return Dir{Fd(fd), parent / name};
        if (errno != ENOSYS && errno != EPERM) return fail(errno, "open directory", parent / name);
        openat2_works = false;
    }
    TRY_ASSIGN(Dir dir, open_dir_at(parent, name));
    TRY_ASSIGN(const struct stat outside, stat_of(parent));
    TRY_ASSIGN(const struct stat inside, stat_of(dir));
    if (inside.st_dev != outside.st_dev) return fail(EXDEV, "open directory", dir.path);
    return dir;
}

bool sees_bind_mounts() noexcept { return openat2_works; }

Result<Dir> make_and_open_dir_at(const Dir& parent, const std::string& name, mode_t mode) {
    if (auto opened = open_dir_at(parent, name); opened || opened.error().sys_errno != ENOENT)
        return opened;
    if (auto made = make_dir_at(parent, name, mode); !made && made.error().sys_errno != EEXIST) {
        return tl::make_unexpected(std::move(made).error());
    }
    return open_dir_at(parent, name);
}

Result<> make_dir_at(const Dir& parent, const std::string& name, mode_t mode) {
    if (::mkdirat(parent.get(), name.c_str(), mode) != 0)
        return fail(errno, "make directory", parent / name);
    return {};
}

Result<> remove_dir_at(const Dir& parent, const std::string& name) {
    if (::unlinkat(parent.get(), name.c_str(), AT_REMOVEDIR) != 0)
        return fail(errno, "remove directory", parent / name);
    return {};
}

Result<> remove_file_at(const Dir& parent, const std::string& name) {
    if (::unlinkat(parent.get(), name.c_str(), 0) != 0) return fail(errno, "remove", parent / name);
    return {};
}

Result<Fd> open_at(const Dir& parent, const std::string& name, int flags, mode_t mode) {
    const int fd = retry(
        [&] { return ::openat(parent.get(), name.c_str(), flags | O_CLOEXEC | O_NOFOLLOW, mode); });
    if (fd < 0) return fail(errno, "open", parent / name);
    return Fd(fd);
}

Result<struct stat> stat_at(const Dir& parent, const std::string& name) {
    struct stat status {};
    if (::fstatat(parent.get(), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(errno, "look at", parent / name);
    return status;
}

Result<struct stat> stat_of(const Dir& dir) {
    struct stat status {};
    if (::fstat(dir.get(), &status) != 0) return fail(errno, "look at", dir.path);
    return status;
}

Result<bool> is_dir_at(const Dir& parent, const std::string& name) {
    if (!parent.fd) return false;
    const auto status = stat_at(parent, name);
    if (!status && status.error().sys_errno == ENOENT) return false;
    TRY(status);
    if (!S_ISDIR(status->st_mode)) {
        return fail(Errc::damaged, "look at", parent / name,
                    "a directory of larder's should be here; move away what is");
    }
    return true;
}

std::chrono::system_clock::time_point modified(const struct stat& status) noexcept {
    using std::chrono::system_clock;
#ifdef __APPLE__
    const timespec time = status.st_mtimespec;
#else
    const timespec time = status.st_mtim;
#endif
    return system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
        std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec)));
}

Result<> touch_at(const Dir& parent, const std::string& name) {
    const timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    if (::utimensat(parent.get(), name.c_str(), times, AT_SYMLINK_NOFOLLOW) != 0)
        return fail(errno, "set the time of", parent / name);
    return {};
}

Result<Space> space_of(const Dir& dir) {
    struct statvfs status {};
    if (retry([&] { return ::fstatvfs(dir.get(), &status); }) != 0)
        return fail(errno, "look at the free space of", dir.path);
    return Space{std::uint64_t{status.f_bavail} * status.f_frsize,
                 std::uint64_t{status.f_blocks} * status.f_frsize};
}

Result<> rename_new_atomic(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                           const std::string& to) {
    if (rename_with_flag(from_dir.get(), from.c_str(), to_dir.get(), to.c_str(),
                         RenameFlag::noreplace) == 0)
        return {};
    if (flag_unknown(errno))
        return fail(Errc::unsupported, "rename", from_dir / from,
                    "this file system can't rename without replacing");
    return rename_failed(errno, from_dir, from, to_dir, to);
}

Result<> rename_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                    const std::string& to) {
    if (rename_with_flag(from_dir.get(), from.c_str(), to_dir.get(), to.c_str(),
                         RenameFlag::noreplace) == 0)
        return {};
    if (!flag_unknown(errno)) return rename_failed(errno, from_dir, from, to_dir, to);
    if (stat_at(to_dir, to)) return rename_failed(EEXIST, from_dir, from, to_dir, to);
    if (::renameat(from_dir.get(), from.c_str(), to_dir.get(), to.c_str()) != 0)
        return rename_failed(errno, from_dir, from, to_dir, to);
    return {};
}

Result<> exchange(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                  const std::string& to) {
    if (rename_with_flag(from_dir.get(), from.c_str(), to_dir.get(), to.c_str(),
                         RenameFlag::exchange) == 0)
        return {};
    if (flag_unknown(errno))
        return fail(Errc::unsupported, "exchange", to_dir / to,
                    "this file system can't exchange two names");
    return fail(errno, "exchange", from_dir / from, "with " + (to_dir / to).string());
}

Result<std::string> read_file_at(const Dir& parent, const std::string& name, std::size_t limit) {
    // O_NONBLOCK: a FIFO that somebody put here must not hold us up.
    TRY_ASSIGN(const Fd fd, open_at(parent, name, O_RDONLY | O_NONBLOCK));
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return fail(errno, "look at", parent / name);
    if (!S_ISREG(status.st_mode))
        return fail(Errc::damaged, "read", parent / name, "not a regular file");
    std::string bytes;
    std::array<char, 4096> chunk{};
    for (;;) {
        const ssize_t got = retry([&] { return ::read(fd.get(), chunk.data(), chunk.size()); });
        if (got < 0) return fail(errno, "read", parent / name);
        if (got == 0) return bytes;
        bytes.append(chunk.data(), static_cast<std::size_t>(got));
        if (bytes.size() > limit)
            return fail(Errc::damaged, "read", parent / name,
                        "larger than anything larder writes here");
    }
}

Result<> write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t put = retry([&] { return ::write(fd, bytes.data(), bytes.size()); });
        if (put < 0) return fail(errno, "write", path);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

Result<> write_new_file_at(const Dir& parent, const std::string& name, std::string_view bytes,
                           mode_t mode) {
    TRY_ASSIGN(const Fd fd, open_at(parent, name, O_WRONLY | O_CREAT | O_EXCL, mode));
    auto written = write_all(fd.get(), bytes, parent / name);
    if (!written) (void)remove_file_at(parent, name);
    return written;
}

Result<> sync_fd(int fd, const std::filesystem::path& path) {
    if (const int error = point("os.sync")) return fail(error, "sync", path);
    if (retry([&] { return ::fsync(fd); }) != 0) return fail(errno, "sync", path);
    return {};
}

}  // namespace larder::os
