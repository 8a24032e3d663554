// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/reasons.hpp"
#include "os/user.hpp"

namespace larder::os {

namespace {

/// Returns whether what stands at the path denies a right to the user of this process: see
/// denial_at.
bool denies_right(const std::filesystem::path& path, const struct ::stat& info) noexcept {
    const bool is_directory = S_ISDIR(info.st_mode);
    if (!is_directory && !S_ISREG(info.st_mode)) return false;
    if (info.st_uid == ::geteuid()) {
        const mode_t needed = is_directory ? S_IRWXU : S_IRUSR;
        return (info.st_mode & needed) != needed;
    }
    // The system knows this user's groups and privileges, and the access control list. (Of the
    // superuser alone, a container may have taken every privilege.)
    const int needed = is_directory ? R_OK | W_OK | X_OK : R_OK | W_OK;
    return ::faccessat(AT_FDCWD, path.c_str(), needed, AT_EACCESS) != 0 && errno == EACCES;
}

/// Returns the name of an owner, as Denial has it.
std::string owner_of(const struct ::stat& info) {
    return info.st_uid == ::geteuid() ? std::string() : user_name(info.st_uid);
}

/// Returns the denial of a directory on the way to a name. A pointer to a generation is a symlink
/// on that way, so the path of the directory is the one without symlinks.
std::optional<Denial> denial_of_directory(const std::filesystem::path& path) {
    struct ::stat info {};
    if (::stat(path.c_str(), &info) != 0 || !denies_right(path, info)) return std::nullopt;
    std::error_code error;
    const bool is_link = std::filesystem::is_symlink(path, error);
    auto real = is_link ? std::filesystem::canonical(path, error) : path;
    return Denial{error ? path : real, owner_of(info)};
}

}  // namespace

std::span<const ReasonRow> reasons() noexcept {
    static constexpr ReasonRow rows[] = {
        {0, Why::none},
        {ENOENT, Why::absent},
        {EEXIST, Why::exists},
        {ENOTEMPTY, Why::not_empty},
        {ENOTDIR, Why::not_directory},
        {EISDIR, Why::is_directory},
        {ELOOP, Why::is_link},
        {EXDEV, Why::cross_device},
        {EACCES, Why::denied},
        {EPERM, Why::not_permitted},
        {EROFS, Why::read_only},
        {ENOSPC, Why::no_space},
        {EDQUOT, Why::no_space},
        {EMLINK, Why::too_many_links},
        {EMFILE, Why::too_many_open_files},
        {ENFILE, Why::too_many_open_files},
        {ENAMETOOLONG, Why::name_too_long},
        {EOPNOTSUPP, Why::not_supported},
#if ENOTSUP != EOPNOTSUPP
        {ENOTSUP, Why::not_supported},
#endif
        {ENOSYS, Why::not_supported},
        {ENOTTY, Why::not_supported},
        {EINVAL, Why::invalid},
        {ENXIO, Why::no_device},
        {ESPIPE, Why::not_seekable},
        {EBUSY, Why::busy},
        {ETXTBSY, Why::sharing},
        {EAGAIN, Why::would_block},
#if EWOULDBLOCK != EAGAIN
        {EWOULDBLOCK, Why::would_block},
#endif
        {EINTR, Why::interrupted},
        {ENOMEM, Why::no_memory},
        {EIO, Why::io},
    };
    return rows;
}

// The standard library has the numbers of the system.
int number_of(const std::error_code& error) noexcept { return error.value(); }

std::optional<Denial> denial_at(const std::filesystem::path& path) {
    struct ::stat info {};
    if (::lstat(path.c_str(), &info) == 0 && denies_right(path, info))
        return Denial{path, owner_of(info)};
    // The nearest directory that can be looked at: the one below it can't be, or is not there.
    for (std::filesystem::path at = path; at.has_relative_path(); at = at.parent_path()) {
        if (auto denial = denial_of_directory(at.parent_path())) return denial;
        if (::stat(at.parent_path().c_str(), &info) == 0 || errno != EACCES) return std::nullopt;
    }
    return std::nullopt;
}

}  // namespace larder::os
