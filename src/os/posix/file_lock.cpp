// SPDX-License-Identifier: MIT
#include "os/file_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <mutex>
#include <string>
#include <vector>

#include "os/before_main.hpp"
#include "os/file_system.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/fork.hpp"
#include "os/posix/like_windows.hpp"
#include "os/unique.hpp"

// glibc, musl and macOS have this command. glibc declares it only if GNU extensions are on: g++ and
// clang++ turn them on.
#ifndef F_OFD_SETLK
#error "larder needs locks of open file descriptions (F_OFD_SETLK, POSIX.1-2024)"
#endif
// The bytes of a cache's locks have numbers of 62 bits.
static_assert(sizeof(off_t) == 8, "larder needs file offsets of 64 bits");

namespace larder::os {

namespace {

/// The descriptors of the FileLocks that this process holds. A forked child closes them.
class HeldLocks {
public:
    static HeldLocks& instance() {
        // Never destroyed: locks may be held until the very end of the process.
        static HeldLocks* const held = new HeldLocks;
        return *held;
    }

    /// Opens a lock file and remembers its descriptor. No fork can happen between the two: a child
    /// would inherit a descriptor that it does not close, and would share the lock.
    Result<FileHandle> open(const Dir& dir, const std::string& name, OpenMode mode) {
        const std::lock_guard guard(mutex_);
        TRY_ASSIGN(FileHandle file, open_at(dir, name, mode));
        fds_.push_back(fd_of(file));
        return file;
    }

    /// Forgets a descriptor and closes it. No fork can happen between the two: a child would close
    /// a descriptor of the same number that belongs to another file.
    void close(FileHandle file) {
        const std::lock_guard guard(mutex_);
        std::erase(fds_, fd_of(file));
        file.reset();
    }

private:
    HeldLocks() { at_fork(before_fork, after_fork_in_parent, after_fork_in_child); }

    static void before_fork() { instance().mutex_.lock(); }
    static void after_fork_in_parent() { instance().mutex_.unlock(); }
    static void after_fork_in_child() {
        for (const int fd : instance().fds_) ::close(fd);
        instance().fds_.clear();
        instance().mutex_.unlock();
    }

    std::mutex mutex_;  // guards fds_, and is held during a fork
    std::vector<int> fds_;
};

// Made before main: see os/before_main.hpp.
[[maybe_unused]] const bool locks_made =
    before_main([]() -> auto& { return HeldLocks::instance(); });

/// Returns the argument of fcntl(2) for a lock of this type and range.
struct flock description_of(short type, const Range& range) {
    struct flock description {};
    description.l_type = type;
    description.l_whence = SEEK_SET;
    description.l_start = static_cast<off_t>(range.start);
    description.l_len = static_cast<off_t>(range.length);
    return description;  // l_pid stays 0: fcntl(2) requires it for these commands
}

/// Returns the error of a call for a lock of this range, with what to do about it.
tl::unexpected<Error> refused(int error, const char* command, const Range& range,
                              const std::filesystem::path& path) {
    const std::string what =
        range.length == 0 ? std::string("the whole file") : "byte " + std::to_string(range.start);
    return fail(error, "lock", path,
                "this file system, or a sandbox, refuses file locks (fcntl " +
                    std::string(command) + " of " + what +
                    "); name a directory on another file system");
}

}  // namespace

Result<bool> try_lock(const FileHandle& file, Mode mode, const Range& range,
                      const std::filesystem::path& path) {
    if (is_like_windows()) {
        const auto taken = like_windows::try_lock(file, mode, range);
        if (!taken) return refused(taken.error().value(), "F_OFD_SETLK", range, path);
        return *taken;
    }
    auto description = description_of(mode == Mode::shared ? F_RDLCK : F_WRLCK, range);
    if (retry([&] { return ::fcntl(fd_of(file), F_OFD_SETLK, &description); }) == 0) return true;
    const int error = errno;
    if (error == EAGAIN) return false;
    // POSIX lets a system answer EACCES if the lock is taken. But a sandbox that forbids locks
    // answers so, too, and then a wait for the lock would be in vain.
    if (error == EACCES && is_locked(file, range, path).value_or(false)) return false;
    return refused(error, "F_OFD_SETLK", range, path);
}

Result<> unlock(const FileHandle& file, const std::filesystem::path& path) {
    auto description = description_of(F_UNLCK, Range::whole());
    if (retry([&] { return ::fcntl(fd_of(file), F_OFD_SETLK, &description); }) != 0)
        return fail(errno, "unlock", path);
    return {};
}

Result<bool> is_locked(const FileHandle& file, const Range& range,
                       const std::filesystem::path& path) {
    if (is_like_windows()) {
        const auto locked = like_windows::is_locked(file, range);
        if (!locked) return refused(locked.error().value(), "F_OFD_SETLK", range, path);
        return *locked;
    }
    auto description = description_of(F_WRLCK, range);
    if (retry([&] { return ::fcntl(fd_of(file), F_OFD_GETLK, &description); }) != 0)
        return refused(errno, "F_OFD_GETLK", range, path);
    return description.l_type != F_UNLCK;
}

bool hold_off_cleaners(const Dir& dir) noexcept {
    return retry([&] { return ::flock(fd_of(dir.handle), LOCK_SH | LOCK_NB); }) == 0;
}

Result<FileLock> FileLock::open(const Dir& dir, const std::string& name, OpenMode mode) {
    TRY_ASSIGN(FileHandle file, HeldLocks::instance().open(dir, name, mode));
    return FileLock(std::move(file), dir / name);
}

FileLock::~FileLock() {
    if (!file_) return;
    if (owner_ != process_token()) {
        // This is a forked child, which has closed the descriptor already. By now its number may
        // belong to another file.
        (void)file_.release();
        return;
    }
    // Closing alone would not release the lock at once: a child that is just being forked or
    // started shares the open file until the child closes it. So unlock first.
    if (is_held_) (void)unlock(file_, {});
    HeldLocks::instance().close(std::move(file_));
}

}  // namespace larder::os
