// SPDX-License-Identifier: MIT
#include "os/error.hpp"

#include <cerrno>

namespace larder::os {

Errc code_of(int sys_errno) noexcept {
    switch (sys_errno) {
        case ENOSPC:
        case EDQUOT:
            return Errc::no_space;
        case EROFS:
            return Errc::read_only;
        case EEXIST:
        case ENOTEMPTY:
            return Errc::exists;
        case EXDEV:
        case EOPNOTSUPP:
            return Errc::unsupported;
        default:
            return Errc::system;
    }
}

tl::unexpected<Error> fail(int sys_errno, const char* step, std::filesystem::path path,
                           std::string detail) {
    return tl::make_unexpected(
        Error{code_of(sys_errno), sys_errno, step, std::move(path), std::move(detail)});
}

}  // namespace larder::os
