// SPDX-License-Identifier: MIT
#include <cerrno>

#include "os/reasons.hpp"

namespace larder::os {

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

}  // namespace larder::os
