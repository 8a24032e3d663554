// SPDX-License-Identifier: MIT
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "os/reasons.hpp"

namespace larder::os {

namespace {

/// Returns whether the user of this process owns what stands at the path, and lacks a right to it.
bool is_denied_to_owner(const std::filesystem::path& path) noexcept {
    struct ::stat info {};
    if (::lstat(path.c_str(), &info) != 0 || info.st_uid != ::geteuid()) return false;
    if (S_ISDIR(info.st_mode)) return (info.st_mode & S_IRWXU) != S_IRWXU;
    return S_ISREG(info.st_mode) && (info.st_mode & S_IRUSR) == 0;
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

std::optional<std::filesystem::path> denied_to_owner(const std::filesystem::path& path) {
    for (std::filesystem::path at = path; at.has_relative_path(); at = at.parent_path()) {
        if (is_denied_to_owner(at)) return at;
        struct ::stat info {};
        if (::lstat(at.c_str(), &info) == 0 || errno != EACCES) {
            // The directory above was searched, so only a name in it may have been denied.
            if (is_denied_to_owner(at.parent_path())) return at.parent_path();
            return std::nullopt;
        }
    }
    return std::nullopt;
}

}  // namespace larder::os
