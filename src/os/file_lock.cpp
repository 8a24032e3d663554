// SPDX-License-Identifier: MIT
#include "os/file_lock.hpp"

#include <fcntl.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <vector>

#include "os/process.hpp"

// The command is in glibc, musl and macOS; glibc shows it only where GNU extensions are asked for, which g++ and clang++ do.
#ifndef F_OFD_SETLK
#error "larder needs locks of open file descriptions (F_OFD_SETLK, POSIX.1-2024)"
#endif

namespace larder::os {

namespace {

/// The descriptors of the locks that this process holds, to be closed in a forked child.
class Held {
public:
    static Held& instance() {
        static Held* const held =
            new Held;  // never destroyed: locks may be held until the very end of the process
        return *held;
    }

    /// In one step, as seen from a fork: a child that inherited a descriptor unknown here would share the lock taken on it later.
    Result<os::Fd> open(const os::Dir& dir, const std::string& name) {
        const std::lock_guard guard(mutex_);
        TRY_ASSIGN(os::Fd fd, os::open_at(dir, name, O_RDWR | O_CREAT));
        fds_.push_back(fd.get());
        return fd;
    }

    /// Forgets and closes it in one step, as seen from a fork.
    void close(os::Fd fd) {
        const std::lock_guard guard(mutex_);
        std::erase(fds_, fd.get());
        fd.reset();
    }

private:
    Held() {
        ::pthread_atfork([] { instance().mutex_.lock(); }, [] { instance().mutex_.unlock(); },
                         [] {
                             for (const int fd : instance().fds_) ::close(fd);
                             instance().fds_.clear();
                             instance().mutex_.unlock();
                         });
    }

    std::mutex mutex_;
    std::vector<int> fds_;
};

/// There before main, and so before any fork: no child can inherit an initialization that another thread was in.
[[maybe_unused]] Held& made_before_main = Held::instance();

struct flock description_of(short type, const Range& range) {
    struct flock description {};
    description.l_type = type;
    description.l_whence = SEEK_SET;
    description.l_start = static_cast<off_t>(range.start);
    description.l_len = static_cast<off_t>(range.length);
    return description;  // l_pid stays 0, as these commands ask
}

}  // namespace

Result<bool> try_lock_fd(int fd, Mode mode, const Range& range, const std::filesystem::path& path) {
    auto description = description_of(mode == Mode::shared ? F_RDLCK : F_WRLCK, range);
    if (os::retry([&] { return ::fcntl(fd, F_OFD_SETLK, &description); }) == 0) return true;
    if (errno == EAGAIN || errno == EACCES) return false;
    return os::fail(errno, "lock", path, "this file system may have no file locks");
}

Result<> unlock_fd(int fd, const std::filesystem::path& path) {
    auto description = description_of(F_UNLCK, Range::whole());
    if (os::retry([&] { return ::fcntl(fd, F_OFD_SETLK, &description); }) != 0)
        return os::fail(errno, "unlock", path);
    return {};
}

Result<bool> is_locked_fd(int fd, const Range& range, const std::filesystem::path& path) {
    auto description = description_of(F_WRLCK, range);
    if (os::retry([&] { return ::fcntl(fd, F_OFD_GETLK, &description); }) != 0)
        return os::fail(errno, "look at lock", path);
    return description.l_type != F_UNLCK;
}

Result<std::optional<FileLock>> FileLock::try_lock(const os::Dir& dir, const std::string& name,
                                                   Mode mode, const Range& range) {
    TRY_ASSIGN(os::Fd fd, Held::instance().open(dir, name));
    FileLock lock(std::move(fd));
    TRY_ASSIGN(const bool had, try_lock_fd(lock.fd_.get(), mode, range, dir / name));
    if (!had) return std::nullopt;
    return std::optional(std::move(lock));
}

FileLock::FileLock(os::Fd fd) noexcept : fd_(std::move(fd)), owner_(os::process_token()) {}

FileLock::FileLock(FileLock&& other) noexcept = default;

FileLock& FileLock::operator=(FileLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    std::swap(owner_, other.owner_);
    return *this;
}

FileLock::~FileLock() {
    if (!fd_) return;
    if (owner_ != os::process_token()) {
        (void)fd_
            .release();  // closed in this child already, and the number may be somebody else's by now
        return;
    }
    // Explicitly, and not by closing alone: a child that is being forked, or started, shares the open file until it comes to close it.
    (void)unlock_fd(fd_.get(), {});
    Held::instance().close(std::move(fd_));
}

Result<State> look_at(const os::Dir& dir, const std::string& name, const Range& range) {
    auto fd = os::open_at(dir, name, O_RDWR);
    if (!fd && fd.error().sys_errno == ENOENT) return State::missing;
    TRY(fd);
    TRY_ASSIGN(const bool taken, is_locked_fd(fd->get(), range, dir / name));
    return taken ? State::taken : State::free;
}

}  // namespace larder::os
