// SPDX-License-Identifier: MIT
#include "cachetool/system/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {

LockableFile::LockableFile(const std::filesystem::path& path)
    : file_(retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); })) {}

LockableFile::~LockableFile() {
    if (file_ >= 0) ::close(static_cast<int>(file_));
}

std::error_code LockableFile::try_lock(std::optional<std::uint64_t> byte) {
    struct flock range {};
    range.l_type = F_WRLCK;
    range.l_whence = SEEK_SET;
    range.l_start = static_cast<off_t>(byte.value_or(0));
    range.l_len = byte ? 1 : 0;  // 0 means up to the end, whatever the file's size
    return error_unless_zero(
        retry([&] { return ::fcntl(static_cast<int>(file_), F_OFD_SETLK, &range); }));
}

}  // namespace cachetool::system
