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

int open_for_names(int parent, const char* name, int flags) {
    return ::openat(parent, name, O_PATH | O_DIRECTORY | O_CLOEXEC | flags);
}

int sync_file(int fd) { return ::fsync(fd); }

int sync_all(int fd) { return ::syncfs(fd); }

std::optional<FileTime> read_birth(int fd) noexcept {
#if defined(SYS_statx) && defined(STATX_BTIME)
    // Make the system call itself, because musl had no wrapper for it until lately.
    struct statx status {};
    const auto read = [&] {
        return ::syscall(SYS_statx, fd, "", AT_EMPTY_PATH, STATX_BTIME, &status);
    };
    if (retry(read) != 0 || (status.stx_mask & STATX_BTIME) == 0) return std::nullopt;
    return FileTime{.seconds = status.stx_btime.tv_sec, .nanoseconds = status.stx_btime.tv_nsec};
#else
    (void)fd;
    return std::nullopt;
#endif
}

int read_space(int fd, DiskSpace& space) {
    struct statvfs status {};
    if (::fstatvfs(fd, &status) != 0) return -1;
    space = {
        .free = std::uint64_t{status.f_bavail} * status.f_frsize,
        .size = std::uint64_t{status.f_blocks} * status.f_frsize,
        .free_files = status.f_favail,
        .files = status.f_files,
    };
    return 0;
}

namespace {

/// The attribute in which the kernel keeps an access control list. It has a header, and then for
/// each line of getfacl(1) a tag, the rights, and the number of a user or group, all in
/// little-endian order: see linux/posix_acl_xattr.h.
constexpr const char* acl_attribute = "system.posix_acl_access";
constexpr std::size_t acl_header_size = 4, acl_entry_size = 8;

/// The tags of entries that give rights to a user or a group that the file does not belong to.
constexpr unsigned acl_user = 0x02, acl_group = 0x08;
constexpr unsigned acl_write = 0x02;

/// Returns the number of two bytes.
unsigned two_bytes(const char* bytes) noexcept {
    return static_cast<unsigned char>(bytes[0]) | static_cast<unsigned char>(bytes[1]) << 8U;
}

/// Returns the number of four bytes.
std::uint32_t four_bytes(const char* bytes) noexcept {
    return two_bytes(bytes) | std::uint32_t{two_bytes(bytes + 2)} << 16U;
}

}  // namespace

/// Returns true if the list lets a user write who is neither the owner nor the superuser. A group
/// in the list counts as such users, because it may have any members.
///
/// The list is read only if the permissions of the file have the bit with which the group may
/// write. A file with a list has the list's mask in the place of the group's bits (acl(5)), and the
/// mask limits what the list gives to any user but the owner.
bool list_lets_others_write(int fd, const FileInfo& info) noexcept {
    if ((info.permissions & Permissions::group_write) == Permissions::none) return false;
    std::array<char, acl_header_size + 1024 * acl_entry_size> list{};
    const ssize_t size =
        retry([&] { return ::fgetxattr(fd, acl_attribute, list.data(), list.size()); });
    // A list that cannot be read, or is longer than the buffer, may let others write.
    if (size < 0) return errno != ENODATA && errno != ENOTSUP;
    for (auto at = acl_header_size; at + acl_entry_size <= static_cast<std::size_t>(size);
         at += acl_entry_size) {
        const char* const entry = list.data() + at;
        const unsigned tag = two_bytes(entry), rights = two_bytes(entry + 2);
        const std::uint32_t number = four_bytes(entry + 4);
        const bool is_other =
            tag == acl_group || (tag == acl_user && number != info.owner && number != 0);
        if (is_other && (rights & acl_write) != 0) return true;
    }
    return false;
}

const int no_such_attribute = ENODATA;

const bool slash_asks_for_directory = true;

ssize_t list_attributes(int fd, char* names, std::size_t size) {
    return ::flistxattr(fd, names, size);
}

ssize_t get_attribute(int fd, const char* name, char* value, std::size_t size) {
    return ::fgetxattr(fd, name, value, size);
}

int set_attribute(int fd, const char* name, const char* value, std::size_t size) {
    return ::fsetxattr(fd, name, value, size, 0);
}

bool is_users_attribute(std::string_view name) noexcept { return name.starts_with("user."); }

/// No attribute that begins with "user." is the system's.
bool is_systems_attribute(std::string_view) noexcept { return false; }

}  // namespace platform

namespace {

// What kinds of file systems have in common. A row of the table below has one of these values.

/// A kind without clones that writes each block in place, so that a store to an allocated block
/// needs no space.
constexpr FileSystemTraits written_in_place = {
    .has_clones = false,
    .maps_without_space = true,
    .has_fixed_numbers = true,
    .maps_keep_locks = true,
    .syncs_reach_disk = true,
};

/// A kind without clones that writes to the end of a log, so that each store may need space.
constexpr FileSystemTraits written_to_a_log = {
    .has_clones = false,
    .maps_without_space = false,
    .has_fixed_numbers = true,
    .maps_keep_locks = true,
    .syncs_reach_disk = true,
};

/// A kind with clones. Any process may clone a file at any time (`cp` does), and the next store to
/// each of its blocks needs space.
constexpr FileSystemTraits with_clones = {
    .has_clones = true,
    .maps_without_space = false,
    .has_fixed_numbers = true,
    .maps_keep_locks = true,
    .syncs_reach_disk = true,
};

/// The same, and its log holds single directories.
constexpr FileSystemTraits of_btrfs = {
    .has_clones = true,
    .maps_without_space = false,
    .has_fixed_numbers = true,
    .maps_keep_locks = true,
    .logs_single_directories = true,
    .syncs_reach_disk = true,
};

/// A kind that other machines may use at the same time. All else has the safe answers.
constexpr FileSystemTraits on_network(const char* name) {
    return FileSystemTraits{.network = name};
}

/// One kind of file system, and its number in the kernel's linux/magic.h.
struct FileSystemOfLinux {
    std::uint32_t magic;  ///< as statfs(2) returns it
    FileSystemTraits traits;
};

/// A kind of which no more is known than that a sync of all of it reaches the disk.
constexpr FileSystemTraits synced_as_a_whole = {.syncs_reach_disk = true};

constexpr FileSystemTraits of_overlayfs = {.syncs_reach_disk = true, .has_layers = true};

// FUSE has no row, so it has the safe answers of FileSystemTraits. So has overlayfs, but for its
// syncs: a mapping there keeps the open file of the file system below, and a file may change its
// inode number. (One that was mounted as volatile is not synced, and cannot be mounted again after
// a power cut.)
constexpr FileSystemOfLinux file_systems[] = {
    // On this machine.
    {0x0000ef53, written_in_place},   // ext2, ext3, ext4
    {0x01021994, written_in_place},   // tmpfs
    {0x858458f6, written_in_place},   // ramfs
    {0xf2f52010, written_to_a_log},   // f2fs
    {0x58465342, with_clones},        // xfs
    {0x9123683e, of_btrfs},           // btrfs
    {0xca451a4e, with_clones},        // bcachefs
    {0x794c7630, of_overlayfs},       // overlayfs
    {0x2fc12fc1, synced_as_a_whole},  // ZFS
    // On another machine, or on a disk that several machines share.
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
    for (const FileSystemOfLinux& row : file_systems) {
        if (row.magic == magic) return row.traits;
    }
    return {};  // the safe answers
}

namespace {

/// Some extents of a file. The kernel's fiemap ends with an array of no declared length, so this is
/// a fiemap and the room for that array.
class ExtentList {
public:
    /// Lists the extents of the file that end after the byte `from`: as many as there is room for.
    /// Returns false if the file system does not tell them.
    bool read(const FileHandle& file, std::uint64_t from) {
        head().fm_start = from;
        head().fm_length = FIEMAP_MAX_OFFSET - from;
        head().fm_flags = 0;
        head().fm_extent_count = most;
        return retry([&] { return ::ioctl(fd_of(file), FS_IOC_FIEMAP, &head()); }) == 0;
    }

    [[nodiscard]] std::size_t size() { return head().fm_mapped_extents; }

    /// Requires: `index` is less than size().
    [[nodiscard]] fiemap_extent at(std::size_t index) const {
        fiemap_extent extent{};
        const std::size_t offset = sizeof(fiemap) + index * sizeof extent;
        std::memcpy(&extent, bytes_.data() + offset, sizeof extent);
        return extent;
    }

private:
    static constexpr std::size_t most = 32;  // arbitrary, because most files have one extent

    fiemap& head() { return *reinterpret_cast<fiemap*>(bytes_.data()); }

    alignas(fiemap) std::array<std::byte, sizeof(fiemap) + most * sizeof(fiemap_extent)> bytes_{};
};

}  // namespace

std::optional<std::uint64_t> unshared_bytes(const Dir& dir, const std::string& name) {
    const auto file = try_open_at(dir, name.c_str(), OpenMode::read_nonblocking);
    if (!file) return std::nullopt;
    ExtentList extents;
    std::uint64_t bytes = 0;
    std::uint64_t from = 0;  // the extents before it are counted
    for (;;) {
        if (!extents.read(*file, from)) return std::nullopt;
        if (extents.size() == 0) return bytes;  // the file has no data after `from`
        for (std::size_t i = 0; i < extents.size(); ++i) {
            const fiemap_extent extent = extents.at(i);
            if ((extent.fe_flags & FIEMAP_EXTENT_SHARED) == 0) bytes += extent.fe_length;
            if ((extent.fe_flags & FIEMAP_EXTENT_LAST) != 0) return bytes;
            // This grows in each round, so the loop ends: the extents are in order, and those that
            // were read end after the last `from`.
            from = extent.fe_logical + extent.fe_length;
        }
    }
}

void write_in_place(const FileHandle& empty_file) noexcept {
    const int fd = fd_of(empty_file);
    // On btrfs the request has an effect only while the file is empty.
    struct stat status {};
    if (retry([&] { return ::fstat(fd, &status); }) != 0 || status.st_size != 0) return;
    int flags = 0;
    if (retry([&] { return ::ioctl(fd, FS_IOC_GETFLAGS, &flags); }) != 0) return;
    flags |= FS_NOCOW_FL;
    (void)retry([&] { return ::ioctl(fd, FS_IOC_SETFLAGS, &flags); });  // best effort
}

Result<bool> clone_file(const FileHandle& source, const FileInfo& info, const Dir& dir,
                        const std::string& name, Refusal refusal) {
    TRY_ASSIGN(auto made, NewFile::create(dir, name));  // removed again after an error
    if (retry([&] { return ::ioctl(fd_of(made.handle()), FICLONE, fd_of(source)); }) != 0)
        return refused(errno, "clone", dir / name);
    return made.complete(source, info, refusal);
}

namespace {

/// Returns whether all data of the two files are in the same blocks, as far as the file system
/// tells.
bool have_same_blocks(const FileHandle& a, const FileHandle& b) {
    ExtentList of_a, of_b;
    for (std::uint64_t from = 0;;) {
        if (!of_a.read(a, from) || !of_b.read(b, from) || of_a.size() != of_b.size()) return false;
        if (of_a.size() == 0) return true;  // no data follow
        for (std::size_t i = 0; i < of_a.size(); ++i) {
            const fiemap_extent first = of_a.at(i), second = of_b.at(i);
            // Data that wait to be written have no place yet, and small ones none of their own.
            constexpr std::uint32_t no_blocks = FIEMAP_EXTENT_UNKNOWN | FIEMAP_EXTENT_NOT_ALIGNED;
            if (((first.fe_flags | second.fe_flags) & no_blocks) != 0) return false;
            if (first.fe_logical != second.fe_logical || first.fe_length != second.fe_length ||
                first.fe_physical != second.fe_physical)
                return false;
            if ((first.fe_flags & second.fe_flags & FIEMAP_EXTENT_LAST) != 0) return true;
            from = first.fe_logical + first.fe_length;
        }
    }
}

/// Shares one run of bytes. Returns how many bytes share their blocks then; 0 if they differ.
CallResult<std::uint64_t> share_run(const FileHandle& model, const FileHandle& file,
                                    const ByteRun& run) noexcept {
    // The kernel's struct ends with an array of no declared length.
    alignas(file_dedupe_range)
        std::array<std::byte, sizeof(file_dedupe_range) + sizeof(file_dedupe_range_info)>
            bytes{};
    auto& request = *reinterpret_cast<file_dedupe_range*>(bytes.data());
    request.src_offset = run.start;
    request.src_length = run.length;
    request.dest_count = 1;
    file_dedupe_range_info& answer = request.info[0];
    answer.dest_fd = fd_of(file);
    answer.dest_offset = run.start;
    errno = point("os.share-blocks");
    if (errno != 0 || retry([&] { return ::ioctl(fd_of(model), FIDEDUPERANGE, &request); }) != 0)
        return tl::unexpected(std::error_code(errno, std::system_category()));
    if (answer.status < 0)
        return tl::unexpected(std::error_code(-answer.status, std::system_category()));
    if (answer.status == FILE_DEDUPE_RANGE_DIFFERS) return 0;
    // A kernel that shares nothing and reports no error would be asked for ever.
    if (answer.bytes_deduped == 0)
        return tl::unexpected(std::make_error_code(std::errc::operation_not_supported));
    return answer.bytes_deduped;
}

}  // namespace

CallResult<BlockSharing> share_blocks(const FileHandle& model, const FileHandle& file,
                                      std::uint64_t size) noexcept {
    if (have_same_blocks(model, file)) return BlockSharing::present;
    for (ByteRun run{.start = 0, .length = 0}; run.start < size;) {
        constexpr std::uint64_t most = std::uint64_t{16} << 20U;  // the limit of btrfs
        run.length = std::min(size - run.start, most);
        const auto shared = share_run(model, file, run);
        if (!shared) return tl::unexpected(shared.error());
        if (*shared == 0) return BlockSharing::differs;
        run.start += *shared;
    }
    return BlockSharing::made;
}

namespace {

/// Copies as much of a run as one call of the kernel does. Returns how many bytes it has copied: 0
/// at the end of the file. Fails with -1 and errno.
ssize_t copy_some(const FileHandle& from, const FileHandle& to, const ByteRun& run) noexcept {
    errno = point("tree.copy_file_range");
    if (errno != 0) return -1;
    constexpr std::uint64_t most = 1U << 30;  // the kernel's own limit is a little less than 2 GiB
    const auto length = static_cast<std::size_t>(std::min(run.length, most));
    auto read_at = static_cast<off_t>(run.start);
    off_t write_at = read_at;
    return retry(
        [&] { return ::copy_file_range(fd_of(from), &read_at, fd_of(to), &write_at, length, 0); });
}

}  // namespace

CallResult<ByteRun> copy_in_kernel(const FileHandle& from, const FileHandle& to,
                                   ByteRun run) noexcept {
    bool copied_any = false;
    while (run.length > 0) {
        const ssize_t copied = copy_some(from, to, run);
        if (copied < 0) {
            const int error = errno;
            if (ends_at_once(why_of(error)))
                return tl::unexpected(std::error_code(error, std::system_category()));
            return run;  // reading and writing is the second way, and tells its own error
        }
        if (copied == 0) {
            if (copied_any) return ByteRun{.start = run.start, .length = 0};
            // The file is empty, or of a kind that this call cannot read (in /proc, for example).
            // In both cases the caller may read it instead.
            return run;
        }
        copied_any = true;
        run.start += static_cast<std::uint64_t>(copied);
        run.length -= static_cast<std::uint64_t>(copied);
    }
    return run;
}

namespace {

/// Lists the attributes of the file at a name, as platform::list_attributes does for an open file.
/// Fails with -1 and errno.
ssize_t list_attributes_at(const Dir& dir, const std::string& name, char* names, std::size_t size) {
    // The calls for attributes take a path or an open file, and no directory. A path through /proc
    // saves opening the file, which its permissions may forbid.
    const std::string path = "/proc/self/fd/" + std::to_string(fd_of(dir.handle)) + "/" + name;
    const ssize_t length = retry([&] { return ::llistxattr(path.c_str(), names, size); });
    if (length >= 0) return length;
    if (errno != ENOENT && errno != ENOTDIR) return -1;
    // There may be no /proc here, so open the file after all.
    const auto file = try_open_at(dir, name.c_str(), OpenMode::read_nonblocking);
    if (!file) return -1;
    return retry([&] { return platform::list_attributes(fd_of(*file), names, size); });
}

}  // namespace

bool has_privileges(const Dir& dir, const std::string& name, const FileInfo& info) {
    if ((info.permissions & ~copied_permissions) != Permissions::none) return true;
    std::array<char, 1024> names{};  // a longer list is rare, and its file is copied
    const ssize_t length = list_attributes_at(dir, name, names.data(), names.size());
    if (length < 0) return errno != EOPNOTSUPP;  // that one says that there are no attributes here
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
