// SPDX-License-Identifier: MIT
#include "cachetool/system/file_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "cachetool/system/last_error.hpp"

namespace cachetool::system {

bool knows_locks_of(FileLockOwner owner) {
#ifdef F_OFD_SETLK
    static_cast<void>(owner);
    return true;
#else
    return owner == FileLockOwner::process;
#endif
}

LockableFile::LockableFile(const std::filesystem::path& path)
    : descriptor_(retry([&] { return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600); })) {
}

LockableFile::~LockableFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

std::error_code LockableFile::try_lock(FileLockOwner owner) {
    if (!knows_locks_of(owner)) return std::make_error_code(std::errc::not_supported);
    int command = F_SETLK;
#ifdef F_OFD_SETLK
    if (owner == FileLockOwner::open_file) command = F_OFD_SETLK;
#endif
    struct flock whole {};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    return error_unless_zero(retry([&] { return ::fcntl(descriptor_, command, &whole); }));
}

}  // namespace cachetool::system
