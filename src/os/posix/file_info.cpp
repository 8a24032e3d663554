// SPDX-License-Identifier: MIT
#include "os/file_info.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

FileKind kind_of(mode_t mode) noexcept {
    switch (mode & S_IFMT) {
        case S_IFREG:
            return FileKind::regular;
        case S_IFDIR:
            return FileKind::directory;
        case S_IFLNK:
            return FileKind::symlink;
        case S_IFCHR:
            return FileKind::character_device;
        default:
            return FileKind::other;
    }
}

FileInfo info_of(const struct stat& status) noexcept {
#ifdef __APPLE__
    const timespec& time = status.st_mtimespec;
#else
    const timespec& time = status.st_mtim;
#endif
    return {.kind = kind_of(status.st_mode),
            .permissions = static_cast<Permissions>(status.st_mode & 07777),
            .size = static_cast<std::uint64_t>(status.st_size),
            .allocated = static_cast<std::uint64_t>(status.st_blocks) * 512,
            .links = static_cast<std::uint64_t>(status.st_nlink),
            .owner = static_cast<std::uint64_t>(status.st_uid),
            .group = static_cast<std::uint64_t>(status.st_gid),
            .identity = {static_cast<std::uint64_t>(status.st_dev),
                         static_cast<std::uint64_t>(status.st_ino)},
            .modified = {static_cast<std::int64_t>(time.tv_sec),
                         static_cast<std::uint32_t>(time.tv_nsec)}};
}

tl::unexpected<std::error_code> call_failed() noexcept {
    return tl::unexpected(std::error_code(errno, std::system_category()));
}

/// Returns the argument of utimensat(2) that sets the time of modification and leaves that of
/// access.
std::array<timespec, 2> times_of(const FileTime& modified) {
    timespec time{};
    time.tv_sec = static_cast<time_t>(modified.seconds);
    time.tv_nsec = static_cast<long>(modified.nanoseconds);
    return {timespec{0, UTIME_OMIT}, time};
}

/// Sets times of a name, and follows no symlink there.
Result<> set_times_at(const Dir& parent, const std::string& name,
                      const std::array<timespec, 2>& times) {
    if (retry([&] {
            return ::utimensat(fd_of(parent.handle), name.c_str(), times.data(),
                               AT_SYMLINK_NOFOLLOW);
        }) != 0)
        return fail(errno, "set the time of", parent / name);
    return {};
}

}  // namespace

CallResult<FileInfo> try_stat_at(const Dir& parent, const char* path) noexcept {
    struct stat status {};
    if (retry([&] {
            return ::fstatat(fd_of(parent.handle), path, &status, AT_SYMLINK_NOFOLLOW);
        }) != 0)
        return call_failed();
    return info_of(status);
}

CallResult<FileInfo> try_stat(const FileHandle& handle) noexcept {
    struct stat status {};
    if (retry([&] { return ::fstat(fd_of(handle), &status); }) != 0) return call_failed();
    return info_of(status);
}

std::optional<FileTime> birth_of(const FileHandle& handle) noexcept {
    // A test looks at what a file system without this time would do.
    if (point("os.birth") != 0) return std::nullopt;
    return platform::read_birth(fd_of(handle));
}

CallResult<FileInfo> try_stat_path(const std::filesystem::path& path, Follow follow) noexcept {
    struct stat status {};
    if (retry([&] {
            return follow == Follow::yes ? ::stat(path.c_str(), &status)
                                         : ::lstat(path.c_str(), &status);
        }) != 0)
        return call_failed();
    return info_of(status);
}

std::error_code try_set_permissions(const FileHandle& handle, Permissions permissions) noexcept {
    const auto mode = static_cast<mode_t>(permissions);
    if (retry([&] { return ::fchmod(fd_of(handle), mode); }) != 0)
        return {errno, std::system_category()};
    return {};
}

Result<> set_permissions_at(const Dir& parent, const std::string& name, Permissions permissions) {
    const auto mode = static_cast<mode_t>(permissions);
    if (retry([&] {
            return ::fchmodat(fd_of(parent.handle), name.c_str(), mode, AT_SYMLINK_NOFOLLOW);
        }) != 0)
        return fail(errno, "set mode", parent / name);
    return {};
}

std::error_code try_set_modified(const FileHandle& handle, const FileTime& time) noexcept {
    if (retry([&] { return ::futimens(fd_of(handle), times_of(time).data()); }) != 0)
        return {errno, std::system_category()};
    return {};
}

Result<> set_modified_at(const Dir& parent, const std::string& name, const FileTime& time) {
    return set_times_at(parent, name, times_of(time));
}

Result<> touch_at(const Dir& parent, const std::string& name) {
    if (retry([&] { return platform::touch(fd_of(parent.handle), name.c_str()); }) != 0)
        return fail(errno, "set the time of", parent / name);
    return {};
}

}  // namespace larder::os
