// SPDX-License-Identifier: MIT
// How macOS renames, opens, copies and syncs, and what its file systems do. This file was compiled
// for macOS, but never run there. docs/macos.md says what each part relies on.
#ifdef __APPLE__

#include <fcntl.h>
#include <sys/acl.h>
#include <sys/attr.h>
#include <sys/clonefile.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "os/copy.hpp"
#include "os/file_system.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

#if __has_include(<sys/xattr.h>)
#include <sys/xattr.h>
#else
// The headers that come with zig lack this one. The system's library has the functions.
extern "C" {
ssize_t flistxattr(int fd, char* names, size_t size, int options);
ssize_t fgetxattr(int fd, const char* name, void* value, size_t size, std::uint32_t position,
                  int options);
int fsetxattr(int fd, const char* name, const void* value, size_t size, std::uint32_t position,
              int options);
}
#endif

#if __has_include(<membership.h>)
#include <membership.h>
#else
extern "C" int mbr_uid_to_uuid(uid_t user, unsigned char* uuid);
#endif

namespace larder::os {

namespace platform {

/// A file system may lack either flag, and then fails with ENOTSUP: see rename(2). In
/// getattrlist(2) the two abilities are VOL_CAP_INT_RENAME_SWAP and VOL_CAP_INT_RENAME_EXCL.
int rename_with_flag(int from_dir, const char* from, int to_dir, const char* to, RenameFlag flag) {
    return ::renameatx_np(from_dir, from, to_dir, to,
                          flag == RenameFlag::exchange ? RENAME_SWAP : RENAME_EXCL);
}

/// macOS has no such call. The caller then compares the devices. That is enough, because macOS has
/// no bind mounts.
int open_unmounted(int, const char*) {
    errno = ENOSYS;
    return -1;
}

/// Older systems have no O_SEARCH.
int open_for_names(int parent, const char* name, int flags) {
#ifdef O_SEARCH
    return ::openat(parent, name, O_SEARCH | O_DIRECTORY | O_CLOEXEC | flags);
#else
    (void)parent, (void)name, (void)flags;
    errno = ENOSYS;
    return -1;
#endif
}

/// After fsync, the data may still be in the cache of the drive, which may write it in any order.
/// fsync(2) recommends F_FULLFSYNC for data that must survive a power cut. By fcntl(2), APFS, HFS,
/// FAT and UDF have it.
int sync_file(int fd) {
    if (::fcntl(fd, F_FULLFSYNC) == 0) return 0;
    // These errors are the file system's answer. By any other one, it has no such call. (The kernel
    // itself recognizes that by ENOTSUP, ENOTTY and EINVAL: F_BARRIERFSYNC in
    // bsd/kern/kern_descrip.c.)
    if (errno == EIO || errno == ENOSPC || errno == EDQUOT || errno == EINTR) return -1;
    return ::fsync(fd);
}

/// macOS has fsync_volume_np, but that call does not report errors of writing (handle_sync_volume
/// in bsd/vfs/vfs_syscalls.c). So the caller syncs each file by itself.
int sync_all(int) {
    errno = ENOSYS;
    return -1;
}

/// Programs may set this time here (setattrlist), so it would tell nothing.
std::optional<FileTime> read_birth(int) noexcept { return std::nullopt; }

/// Reads it by statfs. On macOS statvfs counts blocks in 32 bits, which is too few from 16 TiB on.
int read_space(int fd, DiskSpace& space) {
    struct statfs status {};
    if (::fstatfs(fd, &status) != 0) return -1;
    space = {
        .free = std::uint64_t{status.f_bavail} * status.f_bsize,
        .size = std::uint64_t{status.f_blocks} * status.f_bsize,
        .free_files = status.f_ffree,
        .files = status.f_files,
    };
    return 0;
}

namespace {

struct AclFree {
    void operator()(void* part) const noexcept { (void)::acl_free(part); }
};

/// Returns whether an entry of a list allows something by which a directory or what is in it
/// changes. An entry may also deny something, as Finder does for the home of each user.
bool allows_writing(acl_entry_t entry) noexcept {
    acl_tag_t tag = ACL_UNDEFINED_TAG;
    acl_permset_t rights = nullptr;
    if (::acl_get_tag_type(entry, &tag) != 0 || ::acl_get_permset(entry, &rights) != 0) return true;
    if (tag != ACL_EXTENDED_ALLOW) return false;
    for (const acl_perm_t right :
         {ACL_ADD_FILE, ACL_ADD_SUBDIRECTORY, ACL_DELETE, ACL_DELETE_CHILD, ACL_WRITE_ATTRIBUTES,
          ACL_WRITE_EXTATTRIBUTES, ACL_WRITE_SECURITY, ACL_CHANGE_OWNER}) {
        if (::acl_get_perm_np(rights, right) != 0) return true;
    }
    return false;
}

}  // namespace

/// On macOS a list gives rights beside the permissions, and nothing cuts them: see chmod(1). It
/// names users and groups by their UUIDs.
bool list_lets_others_write(int fd, const FileInfo& info) noexcept {
    const std::unique_ptr<void, AclFree> list(::acl_get_fd_np(fd, ACL_TYPE_EXTENDED));
    if (!list) return errno != ENOENT && errno != ENOTSUP && errno != EINVAL;
    uuid_t owner{};
    if (::mbr_uid_to_uuid(static_cast<uid_t>(info.owner), owner) != 0) return true;
    acl_entry_t entry = nullptr;
    int which = ACL_FIRST_ENTRY;
    for (; ::acl_get_entry(static_cast<acl_t>(list.get()), which, &entry) == 0;
         which = ACL_NEXT_ENTRY) {
        if (!allows_writing(entry)) continue;
        const std::unique_ptr<void, AclFree> named(::acl_get_qualifier(entry));
        if (!named || std::memcmp(named.get(), owner, sizeof owner) != 0) return true;
    }
    return false;
}

const int no_such_attribute = ENOATTR;

const bool slash_asks_for_directory = false;

ssize_t list_attributes(int fd, char* names, std::size_t size) {
    return ::flistxattr(fd, names, size, 0);
}

ssize_t get_attribute(int fd, const char* name, char* value, std::size_t size) {
    return ::fgetxattr(fd, name, value, size, 0, 0);
}

int set_attribute(int fd, const char* name, const char* value, std::size_t size) {
    return ::fsetxattr(fd, name, value, size, 0, 0);
}

/// On macOS the name of an attribute does not tell who sets it, so all are copied. The system keeps
/// some of those that begin with "com.apple." for itself, and refuses to set them.
bool is_users_attribute(std::string_view) noexcept { return true; }

bool is_systems_attribute(std::string_view name) noexcept { return name.starts_with("com.apple."); }

}  // namespace platform

namespace {

// What kinds of file systems have in common. A row of the table below has one of these values. A
// mapping keeps its file on all of them, but not the locks (mmap in bsd/kern/kern_mman.c).

/// A store to a mapping of an allocated file may need space: a clone or a snapshot shares the
/// file's blocks, and Time Machine makes snapshots by itself.
constexpr FileSystemTraits with_clones = {
    .has_clones = true,
    .maps_without_space = false,
    .has_fixed_numbers = true,
};

/// A kind without clones that writes each block in place.
constexpr FileSystemTraits written_in_place = {
    .has_clones = false,
    .maps_without_space = true,
    .has_fixed_numbers = true,
};

/// The same for a kind without inodes, which may give a file another number.
constexpr FileSystemTraits written_in_place_without_inodes = {
    .has_clones = false,
    .maps_without_space = true,
    .has_fixed_numbers = false,
};

/// A kind whose files lie on another machine. All else has the safe answers.
constexpr FileSystemTraits on_network(const char* name) {
    return FileSystemTraits{.network = name};
}

/// One kind of file system. A kind that has the safe answers of FileSystemTraits needs no row.
struct FileSystemOfMacos {
    std::string_view type;  ///< as statfs(2) returns it
    FileSystemTraits traits;
};

constexpr FileSystemOfMacos file_systems[] = {
    // On this machine.
    {"apfs", with_clones},
    {"hfs", written_in_place},
    {"msdos", written_in_place_without_inodes},  // FAT
    {"exfat", written_in_place_without_inodes},
    // On another machine, or on a disk that several machines share.
    {"nfs", on_network("NFS")},
    {"smbfs", on_network("SMB")},
    {"afpfs", on_network("AFP")},
    {"webdav", on_network("WebDAV")},
    {"ftp", on_network("FTP")},
    {"acfs", on_network("Xsan")},
};

}  // namespace

FileSystemTraits traits_of(const FileHandle& handle) noexcept {
    struct statfs status {};
    if (retry([&] { return ::fstatfs(fd_of(handle), &status); }) != 0) return {};
    const std::string_view type = status.f_fstypename;
    for (const FileSystemOfMacos& row : file_systems) {
        if (row.type == type) return row.traits;
    }
    // For all other kinds, such as macFUSE, a flag of the mount says whether the files lie on this
    // machine.
    if ((status.f_flags & MNT_LOCAL) == 0) return on_network("not local");
    return {};
}

std::optional<std::uint64_t> unshared_bytes(const Dir& dir, const std::string& name) {
    // The attributes come in this order, aligned to 4 bytes: see getattrlist(2). `known` says which
    // of them the file system knows.
    struct __attribute__((packed, aligned(4))) Answer {
        std::uint32_t size;
        attribute_set_t known;
        off_t private_size;
    } answer{};
    attrlist wanted{};
    wanted.bitmapcount = ATTR_BIT_MAP_COUNT;
    wanted.commonattr = ATTR_CMN_RETURNED_ATTRS;
    wanted.forkattr = ATTR_CMNEXT_PRIVATESIZE;
    const auto ask = [&] {
        return ::getattrlistat(fd_of(dir.handle), name.c_str(), &wanted, &answer, sizeof answer,
                               FSOPT_NOFOLLOW | FSOPT_ATTR_CMN_EXTENDED);
    };
    if (retry(ask) != 0) return std::nullopt;
    if ((answer.known.forkattr & ATTR_CMNEXT_PRIVATESIZE) == 0 || answer.size < sizeof answer)
        return std::nullopt;
    return static_cast<std::uint64_t>(answer.private_size);
}

/// Does nothing: no file system of macOS knows such a request.
void write_in_place(const FileHandle&) noexcept {}

Result<bool> clone_file(const FileHandle& source, const FileInfo& info, const Dir& dir,
                        const std::string& name, Refusal /*refusal*/) {
    const auto clone = [&] {
        return ::fclonefileat(fd_of(source), fd_of(dir.handle), name.c_str(), CLONE_NOOWNERCOPY);
    };
    if (retry(clone) != 0) return refused(errno, "clone", dir / name);
    // A clone has the permissions and the times of its source, but not the set-id bits and the
    // owner (clonefile(2)). So the only thing left to do is to take away bits that a copy must not
    // have. A refusal of that is always an error: a copy never hands on privileges.
    if ((info.permissions & ~copied_permissions) == Permissions::none) return true;
    if (auto set = set_permissions_at(dir, name, info.permissions & copied_permissions); !set) {
        (void)remove_file_at(dir, name);
        return tl::make_unexpected(std::move(set).error());
    }
    return true;
}

/// macOS clones whole files under new names, and has no call for two files that exist.
CallResult<BlockSharing> share_blocks(const FileHandle&, const FileHandle&,
                                      std::uint64_t) noexcept {
    return tl::unexpected(std::make_error_code(std::errc::operation_not_supported));
}

/// macOS has no such call. copyfile(3) is a function of the C library that clones, or reads and
/// writes.
CallResult<ByteRun> copy_in_kernel(const FileHandle&, const FileHandle&, ByteRun run) noexcept {
    return run;
}

/// macOS has no capabilities of files. An access control list is an attribute that has a length
/// only if there is one: see ATTR_CMN_EXTENDED_SECURITY in getattrlist(2).
bool has_privileges(const Dir& dir, const std::string& name, const FileInfo& info) {
    if ((info.permissions & ~copied_permissions) != Permissions::none) return true;
    struct __attribute__((packed, aligned(4))) Answer {
        std::uint32_t size;
        attrreference_t list;
        char room[1024];  // for the list itself, which is not read
    } answer{};
    attrlist wanted{};
    wanted.bitmapcount = ATTR_BIT_MAP_COUNT;
    wanted.commonattr = ATTR_CMN_EXTENDED_SECURITY;
    const auto ask = [&] {
        return ::getattrlistat(fd_of(dir.handle), name.c_str(), &wanted, &answer, sizeof answer,
                               FSOPT_NOFOLLOW);
    };
    // A file system without such lists refuses with one of two numbers. By any other error, it is
    // not known whether the file has a list.
    if (retry(ask) != 0) return errno != ENOTSUP && errno != EINVAL;
    return answer.list.attr_length > 0;
}

}  // namespace larder::os

#endif
