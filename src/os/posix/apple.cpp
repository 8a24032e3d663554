// SPDX-License-Identifier: MIT
// What macOS does in its own way.
#ifdef __APPLE__

#include <fcntl.h>
#include <pthread.h>
#include <sys/clonefile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "os/copy.hpp"
#include "os/file_system.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace platform {

int rename_with_flag(int from_dir, const char* from, int to_dir, const char* to, RenameFlag flag) {
    return ::renameatx_np(from_dir, from, to_dir, to,
                          flag == RenameFlag::exchange ? RENAME_SWAP : RENAME_EXCL);
}

int open_unmounted(int, const char*) {
    errno = ENOSYS;
    return -1;
}

int sync_file(int fd) { return ::fsync(fd); }

int sync_all(int) {
    errno = ENOSYS;
    return -1;
}

KernelView view_of(std::int64_t) noexcept { return {}; }

std::uint64_t pid_namespace() noexcept { return 0; }

BootId read_boot_id() noexcept { return {}; }

std::string command_line() { return {}; }

std::int64_t thread_number() noexcept {
    return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(::pthread_self()));
}

}  // namespace platform

FileSystemTraits traits_of(const FileHandle&) noexcept { return {nullptr, true, true}; }

std::optional<std::uint64_t> unshared_bytes(const Dir&, const std::string&) { return std::nullopt; }

void write_in_place(const FileHandle&) noexcept {}

Result<> clone_file(const FileHandle& source, const FileInfo& info, const Dir& dir,
                    const std::string& name) {
    if (retry([&] {
            return ::fclonefileat(fd_of(source), fd_of(dir.handle), name.c_str(),
                                  CLONE_NOFOLLOW | CLONE_NOOWNERCOPY);
        }) != 0)
        return fail(errno, "clone", dir / name);
    // A clone has all that its source has, so only the bits that a copy must not have are taken
    // away.
    if ((info.permissions & ~copied_permissions) == Permissions::none) return {};
    return set_permissions_at(dir, name, info.permissions & copied_permissions);
}

Result<bool> copy_in_kernel(const FileHandle&, const FileHandle&, const std::filesystem::path&) {
    return false;
}

}  // namespace larder::os

#endif
