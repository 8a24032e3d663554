// SPDX-License-Identifier: MIT
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <thread>

#include "stress/system/call_faults.hpp"

namespace larder::stress {

namespace {

std::atomic<CallFaults*> faults_of_process{nullptr};

int number_of(CallError error) noexcept {
    switch (error) {
        case CallError::no_space:
            return ENOSPC;
        case CallError::io:
            return EIO;
        case CallError::interrupted:
            return EINTR;
        case CallError::too_many_open_files:
            return EMFILE;
        case CallError::no_locks:
            return ENOLCK;
        case CallError::no_memory:
            return ENOMEM;
    }
    return EIO;
}

/// Returns whether the call is to fail, with errno set. May lower `*bytes`.
bool fails(std::initializer_list<CallError> possible, std::size_t* bytes = nullptr) noexcept {
    auto* const faults = faults_of_process.load(std::memory_order_acquire);
    if (faults == nullptr) return false;
    const auto error = faults->error_of_call(possible, bytes);
    if (error) errno = number_of(*error);
    return error.has_value();
}

/// Delays the call during which it lives.
class DelayedCall {
public:
    DelayedCall() noexcept {
        if (auto* const faults = faults_of_process.load(std::memory_order_acquire))
            delay_ = faults->delay_of_call();
        pass(delay_.before);
    }
    ~DelayedCall() { pass(delay_.after); }
    DelayedCall(const DelayedCall&) = delete;
    DelayedCall& operator=(const DelayedCall&) = delete;

private:
    static void pass(std::chrono::microseconds time) noexcept {
        if (time.count() == 0) return;
        const int error = errno;
        std::this_thread::sleep_for(time);
        errno = error;
    }
    CallDelay delay_;
};

constexpr auto no_space = CallError::no_space, io = CallError::io,
               interrupted = CallError::interrupted,
               too_many_open_files = CallError::too_many_open_files, no_locks = CallError::no_locks,
               no_memory = CallError::no_memory;

}  // namespace

void set_call_faults(CallFaults* faults) noexcept {
    faults_of_process.store(faults, std::memory_order_release);
}

// The linker gives these functions their names: a call of `open` becomes one of `__wrap_open`, and
// `__real_open` is the system's.
#define LARDER_WRAP(result, name, parameters, arguments, ...) \
    extern "C" result __real_##name parameters;               \
    extern "C" result __wrap_##name parameters;               \
    extern "C" result __wrap_##name parameters {              \
        if (fails({__VA_ARGS__})) return (result)-1;          \
        const DelayedCall delayed;                            \
        return __real_##name arguments;                       \
    }
#define LARDER_WRAP_BYTES(name, parameters, arguments, count, ...) \
    extern "C" ssize_t __real_##name parameters;                   \
    extern "C" ssize_t __wrap_##name parameters;                   \
    extern "C" ssize_t __wrap_##name parameters {                  \
        if (fails({__VA_ARGS__}, &count)) return -1;               \
        const DelayedCall delayed;                                 \
        return __real_##name arguments;                            \
    }

LARDER_WRAP(int, mkdirat, (int dir, const char* name, mode_t mode), (dir, name, mode), no_space, io)
LARDER_WRAP(int, unlinkat, (int dir, const char* name, int flags), (dir, name, flags), io)
LARDER_WRAP(int, renameat, (int from_dir, const char* from, int to_dir, const char* to),
            (from_dir, from, to_dir, to), no_space, io)
LARDER_WRAP(int, symlinkat, (const char* target, int dir, const char* name), (target, dir, name),
            no_space, io)
LARDER_WRAP(int, linkat, (int from_dir, const char* from, int to_dir, const char* to, int flags),
            (from_dir, from, to_dir, to, flags), no_space, io)
LARDER_WRAP(ssize_t, readlinkat, (int dir, const char* name, char* to, size_t size),
            (dir, name, to, size), io)
LARDER_WRAP(int, fstatat, (int dir, const char* name, struct stat* to, int flags),
            (dir, name, to, flags), io)
LARDER_WRAP(int, fstat, (int fd, struct stat* to), (fd, to), io)
LARDER_WRAP(int, lstat, (const char* path, struct stat* to), (path, to), io)
LARDER_WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), io)
LARDER_WRAP(int, fsync, (int fd), (fd), io, interrupted)
LARDER_WRAP(int, syncfs, (int fd), (fd), io)
LARDER_WRAP(int, faccessat, (int dir, const char* name, int mode, int flags),
            (dir, name, mode, flags), io)
LARDER_WRAP(void*, mmap, (void* at, size_t size, int access, int flags, int fd, off_t offset),
            (at, size, access, flags, fd, offset), no_memory)

LARDER_WRAP_BYTES(read, (int fd, void* to, size_t count), (fd, to, count), count, io, interrupted)
LARDER_WRAP_BYTES(pread, (int fd, void* to, size_t count, off_t at), (fd, to, count, at), count, io,
                  interrupted)
LARDER_WRAP_BYTES(write, (int fd, const void* from, size_t count), (fd, from, count), count,
                  no_space, io, interrupted)
LARDER_WRAP_BYTES(pwrite, (int fd, const void* from, size_t count, off_t at), (fd, from, count, at),
                  count, no_space, io, interrupted)
LARDER_WRAP_BYTES(copy_file_range,
                  (int from, off_t* from_at, int to, off_t* to_at, size_t count, unsigned flags),
                  (from, from_at, to, to_at, count, flags), count, no_space, io, interrupted)

// The linker chooses these names.
// NOLINTBEGIN(bugprone-reserved-identifier)
extern "C" {

// Those with a variable number of arguments get what their callers give them.

int __real_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...) {
    std::va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if ((flags & O_CREAT) != 0 ? fails({too_many_open_files, io, interrupted, no_space})
                               : fails({too_many_open_files, io, interrupted}))
        return -1;
    const DelayedCall delayed;
    return __real_open(path, flags, mode);
}

int __real_openat(int dir, const char* path, int flags, ...);
int __wrap_openat(int dir, const char* path, int flags, ...);
int __wrap_openat(int dir, const char* path, int flags, ...) {
    std::va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if ((flags & O_CREAT) != 0 ? fails({too_many_open_files, io, interrupted, no_space})
                               : fails({too_many_open_files, io, interrupted}))
        return -1;
    const DelayedCall delayed;
    return __real_openat(dir, path, flags, mode);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
    std::va_list more;
    va_start(more, command);
    void* const argument = va_arg(more, void*);  // an int is passed in the same register
    va_end(more);
    const bool takes_lock =
        command == F_OFD_SETLK && static_cast<struct flock*>(argument)->l_type != F_UNLCK;
    if (takes_lock && fails({no_locks, interrupted})) return -1;
    const DelayedCall delayed;
    return __real_fcntl(fd, command, argument);
}

// The library calls these by their numbers: renames and openings with flags of their own, and
// listing. No system call takes more than six arguments. The registers of those that were not given
// hold something that the kernel does not look at.
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
// It reads six arguments, as the system's own function does, even if its caller passed fewer.
__attribute__((no_sanitize("address"))) long __wrap_syscall(long number, ...) {
    std::va_list more;
    va_start(more, number);
    long arguments[6];
    for (long& argument : arguments) argument = va_arg(more, long);
    va_end(more);
    if (number == SYS_renameat2 && fails({no_space, io})) return -1;
    if (number == SYS_getdents64 && fails({io})) return -1;
#ifdef SYS_openat2
    if (number == SYS_openat2 && fails({too_many_open_files, io, interrupted})) return -1;
#endif
    const DelayedCall delayed;
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);
}

}  // extern "C"
// NOLINTEND(bugprone-reserved-identifier)

}  // namespace larder::stress
