// SPDX-License-Identifier: MIT
// The file system's calls, relative to directory handles, as Results.
//
// Names are always single components, or "bucket/key" below `buckets/`; no call follows a symlink in the last component. A
// call that a signal interrupts is made again.
#pragma once

#include <sys/stat.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "os/error.hpp"
#include "os/fd.hpp"

namespace larder::os {

/// An open directory, and the path it had when it was opened: for messages, never for access. Without a descriptor it is one
/// that does not exist, and that may be so (in a cache opened read-only): it has no names in it.
struct Dir {
    Fd fd;
    std::filesystem::path path;

    [[nodiscard]] int get() const noexcept { return fd.get(); }
    [[nodiscard]] std::filesystem::path operator/(std::string_view name) const {
        return path / name;
    }
};

/// Follows symlinks: for paths that the caller gave.
[[nodiscard]] Result<Dir> open_dir(const std::filesystem::path& path);
/// Fails with ELOOP or ENOTDIR where `name` is no directory of its own.
[[nodiscard]] Result<Dir> open_dir_at(const Dir& parent, const std::string& name);
/// The same, and EXDEV where something is mounted at `name`. Only where `sees_bind_mounts` (Linux 5.6) is that certain; elsewhere
/// it is noticed by the device, so that a part of this very file system, mounted here once more, is not.
[[nodiscard]] Result<Dir> open_dir_unmounted_at(const Dir& parent, const std::string& name);
[[nodiscard]] bool sees_bind_mounts() noexcept;
/// Makes the directory where it is missing, then opens it.
[[nodiscard]] Result<Dir> make_and_open_dir_at(const Dir& parent, const std::string& name,
                                               mode_t mode = 0700);

[[nodiscard]] Result<> make_dir_at(const Dir& parent, const std::string& name, mode_t mode);
[[nodiscard]] Result<> remove_dir_at(const Dir& parent, const std::string& name);
[[nodiscard]] Result<> remove_file_at(const Dir& parent, const std::string& name);

[[nodiscard]] Result<Fd> open_at(const Dir& parent, const std::string& name, int flags,
                                 mode_t mode = 0600);
[[nodiscard]] Result<struct stat> stat_at(const Dir& parent, const std::string& name);
[[nodiscard]] Result<struct stat> stat_of(const Dir& dir);
/// Whether a directory (not a symlink to one) stands at `name`; other file types are an error, absence is not.
[[nodiscard]] Result<bool> is_dir_at(const Dir& parent, const std::string& name);

/// Atomic; fails with EEXIST where `to` exists. Where the system has no such rename the check comes first and is not atomic:
/// good enough for a fresh name, which nobody else draws.
[[nodiscard]] Result<> rename_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                                  const std::string& to);
/// Atomic swap of two existing names. `unsupported` where the system or the file system has none.
[[nodiscard]] Result<> exchange(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                                const std::string& to);
/// Atomic rename_new that never falls back to check-then-rename: `unsupported` instead.
[[nodiscard]] Result<> rename_new_atomic(const Dir& from_dir, const std::string& from,
                                         const Dir& to_dir, const std::string& to);

/// When the data of what `status` was read of last changed; of a link: see protocol/use.hpp.
[[nodiscard]] std::chrono::system_clock::time_point modified(const struct stat& status) noexcept;
/// Sets that time to now.
[[nodiscard]] Result<> touch_at(const Dir& parent, const std::string& name);

/// What an unprivileged process can still write to the file system of `dir`, and the size of it, in bytes.
struct Space {
    std::uint64_t free = 0;
    std::uint64_t size = 0;
};
[[nodiscard]] Result<Space> space_of(const Dir& dir);

/// The whole of a small file. Refuses what is not a regular file, and more than `limit` bytes.
[[nodiscard]] Result<std::string> read_file_at(const Dir& parent, const std::string& name,
                                               std::size_t limit);
/// Creates `name` with these bytes; what was made is removed again when it can't be completed.
[[nodiscard]] Result<> write_new_file_at(const Dir& parent, const std::string& name,
                                         std::string_view bytes, mode_t mode = 0600);
[[nodiscard]] Result<> write_all(int fd, std::string_view bytes, const std::filesystem::path& path);
[[nodiscard]] Result<> sync_fd(int fd, const std::filesystem::path& path);

/// Calls again what a signal interrupted.
template <class Call>
auto retry(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

}  // namespace larder::os
