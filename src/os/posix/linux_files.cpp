// SPDX-License-Identifier: MIT
// How Linux renames, opens, copies and syncs, and what its file systems do.
#ifdef __linux__

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>
#if __has_include(<linux/openat2.h>)
#include <linux/openat2.h>
#endif

#include <algorithm>
#include <array>
#include <cstring>
#include <iterator>
#include <string>
#include <string_view>

#include "os/copy.hpp"
#include "os/file_system.hpp"
#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace platform {

int rename_with_flag(int from_dir, const char* from, int to_dir, const char* to, RenameFlag flag) {
#ifdef SYS_renameat2
    // Make the system call itself, because musl has no wrapper for it. The values of the flags are
    // part of the kernel's ABI.
    constexpr unsigned no_replace = 1, exchange = 2;
    return static_cast<int>(::syscall(SYS_renameat2, from_dir, from, to_dir, to,
                                      flag == RenameFlag::exchange ? exchange : no_replace));
#else
    (void)from_dir, (void)from, (void)to_dir, (void)to, (void)flag;
    errno = ENOSYS;
    return -1;
#endif
}

/// Makes the system call itself, because few C libraries have a wrapper for it.
int open_unmounted(int parent, const char* name) {
#if defined(SYS_openat2) && __has_include(<linux/openat2.h>)
    open_how how{};
    how.flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW;
    how.resolve = RESOLVE_NO_XDEV;
    return static_cast<int>(::syscall(SYS_openat2, parent, name, &how, sizeof how));
#else
    (void)parent, (void)name;
    errno = ENOSYS;
    return -1;
#endif
}

int sync_file(int fd) { return ::fsync(fd); }

int sync_all(int fd) { return ::syncfs(fd); }

int read_space(int fd, DiskSpace& space) {
    struct statvfs status {};
    if (::fstatvfs(fd, &status) != 0) return -1;
    space = {std::uint64_t{status.f_bavail} * status.f_frsize,
             std::uint64_t{status.f_blocks} * status.f_frsize, status.f_favail, status.f_files};
    return 0;
}

}  // namespace platform

namespace {

/// One kind of file system. A kind that has the safe answers of FileSystemTraits needs no row. The
/// numbers are in the kernel's linux/magic.h.
struct FileSystemOfLinux {
    std::uint32_t magic;  ///< as statfs(2) returns it
    FileSystemTraits traits;
};

constexpr FileSystemTraits on_network(const char* name) { return {name, true, false}; }

constexpr FileSystemOfLinux file_systems[] = {
    // Local, without clones.
    {0x0000ef53, {nullptr, false, true, true, true}},   // ext2, ext3, ext4
    {0x01021994, {nullptr, false, true, true, true}},   // tmpfs
    {0x858458f6, {nullptr, false, true, true, true}},   // ramfs
    {0xf2f52010, {nullptr, false, false, true, true}},  // f2fs: logs, so a store may need space
    // Local, with clones. Any process may clone a file at any time (`cp` does), and the next store
    // to each of its blocks needs space.
    {0x58465342, {nullptr, true, false, true, true}},  // xfs
    {0x9123683e, {nullptr, true, false, true, true}},  // btrfs
    {0xca451a4e, {nullptr, true, false, true, true}},  // bcachefs
    // Overlayfs and FUSE keep the safe answers: a mapping keeps the open file of the file system
    // below, and a file may change its number.
    // On another machine.
    {0x00006969, on_network("NFS")},
    {0x0000517b, on_network("SMB")},
    {0xff534d42, on_network("CIFS")},
    {0xfe534d42, on_network("SMB2")},
    {0x01021997, on_network("9P")},
    {0x5346414f, on_network("AFS")},
    {0x6b414653, on_network("AFS")},
    {0x73757245, on_network("Coda")},
    {0x00c36400, on_network("Ceph")},
    {0x0bd00bd0, on_network("Lustre")},
    {0x47504653, on_network("GPFS")},
    {0x01161970, on_network("GFS2")},
    {0x7461636f, on_network("OCFS2")},
    {0x19830326, on_network("BeeGFS")},
    {0xaad7aaea, on_network("PanFS")},
};

}  // namespace

FileSystemTraits traits_of(const FileHandle& handle) noexcept {
    struct statfs status {};
    if (retry([&] { return ::fstatfs(fd_of(handle), &status); }) != 0) return {};
    const auto magic = static_cast<std::uint32_t>(status.f_type);
    const auto* const row =
        std::find_if(std::begin(file_systems), std::end(file_systems),
                     [&](const FileSystemOfLinux& each) { return each.magic == magic; });
    return row == std::end(file_systems) ? FileSystemTraits{} : row->traits;
}

std::optional<std::uint64_t> unshared_bytes(const Dir& dir, const std::string& name) {
    const auto file = try_open_at(dir, name.c_str(), OpenMode::read_nonblocking);
    if (!file) return std::nullopt;
    // A fiemap ends with an array of no declared length. There is room for 32 extents here, which
    // is arbitrary, because most files have one extent.
    constexpr std::size_t extents = 32;
    alignas(fiemap) std::array<std::byte, sizeof(fiemap) + extents * sizeof(fiemap_extent)> room{};
    auto& map = *reinterpret_cast<fiemap*>(room.data());
    std::uint64_t bytes = 0;
    for (std::uint64_t from = 0;;) {
        map.fm_start = from;
        map.fm_length = FIEMAP_MAX_OFFSET - from;
        map.fm_flags = 0;
        map.fm_extent_count = extents;
        if (retry([&] { return ::ioctl(fd_of(*file), FS_IOC_FIEMAP, &map); }) != 0)
            return std::nullopt;
        for (std::size_t i = 0; i < map.fm_mapped_extents; ++i) {
            fiemap_extent extent{};
            std::memcpy(&extent, room.data() + sizeof(fiemap) + i * sizeof extent, sizeof extent);
            if ((extent.fe_flags & FIEMAP_EXTENT_SHARED) == 0) bytes += extent.fe_length;
            from = extent.fe_logical + extent.fe_length;
            if ((extent.fe_flags & FIEMAP_EXTENT_LAST) != 0) return bytes;
        }
        if (map.fm_mapped_extents == 0) return bytes;
    }
}

void write_in_place(const FileHandle& empty_file) noexcept {
    const int fd = fd_of(empty_file);
    int flags = 0;
    struct stat status {};
    // On btrfs the request has an effect only while the file is empty.
    if (retry([&] { return ::fstat(fd, &status); }) != 0 || status.st_size != 0 ||
        retry([&] { return ::ioctl(fd, FS_IOC_GETFLAGS, &flags); }) != 0)
        return;
    flags |= FS_NOCOW_FL;
    (void)retry([&] { return ::ioctl(fd, FS_IOC_SETFLAGS, &flags); });
}

Result<bool> clone_file(const FileHandle& source, const FileInfo& info, const Dir& dir,
                        const std::string& name, Refusal refusal) {
    TRY_ASSIGN(auto made, NewFile::create(dir, name));
    if (retry([&] { return ::ioctl(fd_of(made.handle()), FICLONE, fd_of(source)); }) != 0)
        return refused(errno, "clone", dir / name);
    return made.complete(source, info, refusal);
}

CallResult<ByteRun> copy_in_kernel(const FileHandle& from, const FileHandle& to,
                                   ByteRun run) noexcept {
    // The kernel copies a little less than 2 GiB in one call.
    constexpr std::uint64_t most = 1U << 30;
    for (bool any = false; run.length > 0; any = true) {
        off_t read_at = static_cast<off_t>(run.start), write_at = read_at;
        errno = point("tree.copy_file_range");
        const ssize_t copied = errno != 0 ? -1 : retry([&] {
            return ::copy_file_range(fd_of(from), &read_at, fd_of(to), &write_at,
                                     static_cast<std::size_t>(std::min(run.length, most)), 0);
        });
        if (copied > 0) {
            run.start += static_cast<std::uint64_t>(copied);
            run.length -= static_cast<std::uint64_t>(copied);
            continue;
        }
        // If nothing was copied, the file is empty or of a kind that this call cannot read. In both
        // cases the caller may read it instead.
        if (copied == 0) return any ? ByteRun{run.start, 0} : run;
        // Reading and writing is the second way, and tells its own error.
        if (!ends_at_once(why_of(errno))) return run;
        return tl::unexpected(std::error_code(errno, std::system_category()));
    }
    return run;
}

namespace {

/// Returns whether this error of setting an attribute means that the file system has no place for
/// it, and not that something went wrong.
bool is_no_place_for_attribute(int error) noexcept {
    return error != ENOSPC && error != EDQUOT && error != EIO && error != ENOMEM;
}

/// Calls `get(data, size)`, which returns the size of the whole if `size` is 0, with enough room.
/// Returns an empty text if there is nothing, or if it can't be read.
template <class Get>
std::string read_attribute(Get get) {
    std::string bytes;
    // Another process may make it longer between the two calls.
    for (;;) {
        const ssize_t size = get(static_cast<char*>(nullptr), std::size_t{0});
        if (size <= 0) return {};
        bytes.resize(static_cast<std::size_t>(size));
        const ssize_t got = get(bytes.data(), bytes.size());
        if (got < 0 && errno == ERANGE) continue;
        bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
        return bytes;
    }
}

}  // namespace

std::error_code copy_attributes(const FileHandle& from, const FileHandle& to) {
    const std::string names = read_attribute([&](char* data, std::size_t size) {
        return retry([&] { return ::flistxattr(fd_of(from), data, size); });
    });
    for (std::size_t at = 0; at < names.size();) {
        const char* const name = names.c_str() + at;
        at += std::strlen(name) + 1;
        if (!std::string_view(name).starts_with("user.")) continue;
        const std::string value = read_attribute([&](char* data, std::size_t size) {
            return retry([&] { return ::fgetxattr(fd_of(from), name, data, size); });
        });
        if (retry([&] { return ::fsetxattr(fd_of(to), name, value.data(), value.size(), 0); }) !=
                0 &&
            !is_no_place_for_attribute(errno))
            return {errno, std::system_category()};
    }
    return {};
}

bool has_privileges(const Dir& dir, const std::string& name, const FileInfo& info) {
    if ((info.permissions & ~copied_permissions) != Permissions::none) return true;
    // The calls for attributes take a path or an open file, and no directory. A path through /proc
    // saves opening the file, which its permissions may forbid.
    const std::string path = "/proc/self/fd/" + std::to_string(fd_of(dir.handle)) + "/" + name;
    const auto list = [&](char* names, std::size_t size) {
        const ssize_t length = retry([&] { return ::llistxattr(path.c_str(), names, size); });
        if (length >= 0 || (errno != ENOENT && errno != ENOTDIR)) return length;
        const auto file = try_open_at(dir, name.c_str(), OpenMode::read_nonblocking);
        if (!file) return ssize_t{-1};
        return retry([&] { return ::flistxattr(fd_of(*file), names, size); });
    };
    std::array<char, 1024> names{};  // a longer list is rare, and its file is copied
    const ssize_t length = list(names.data(), names.size());
    if (length < 0) return errno != EOPNOTSUPP;
    for (std::size_t at = 0; at < static_cast<std::size_t>(length);) {
        const std::string_view attribute(names.data() + at);
        if (attribute == "security.capability" || attribute.starts_with("system.posix_acl_"))
            return true;
        at += attribute.size() + 1;
    }
    return false;
}

}  // namespace larder::os

#endif
