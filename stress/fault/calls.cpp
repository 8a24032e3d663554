// SPDX-License-Identifier: MIT
#include "stress/fault/calls.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <initializer_list>

#include "stress/random.hpp"

namespace larder::stress {

namespace {

/// Draws from the seed and a count: a thread needs no state of its own.
struct CallPlan {
    std::atomic<std::uint64_t> one_in{0};
    std::uint64_t seed = 0;
    std::atomic<std::uint64_t> calls{0};
    std::atomic<std::uint64_t>* tally = nullptr;

    void begin(std::uint64_t with_seed, std::uint64_t with_one_in,
               std::atomic<std::uint64_t>& in_tally) noexcept {
        seed = with_seed;
        calls = 0;
        tally = &in_tally;
        one_in = with_one_in;
    }
    /// A number for this call if it is one of those; 0 if it is not.
    std::uint64_t draw() noexcept;
};
CallPlan error_plan, delay_plan;
thread_local bool in_library = false;

/// How late one operation may come in all: a collection makes thousands of calls, and is to end.
constexpr std::uint64_t latest_us = 300'000;
thread_local std::uint64_t late_us = 0;

std::uint64_t CallPlan::draw() noexcept {
    const auto among = one_in.load(std::memory_order_relaxed);
    if (!in_library || among == 0) return 0;
    const auto number = mix(seed, calls.fetch_add(1, std::memory_order_relaxed));
    if (number % among != 0) return 0;
    tally->fetch_add(1, std::memory_order_relaxed);
    return mix(number, 1) | 1;
}

/// A call in which it lives is late, or comes back late, if the plan says so.
class Lateness {
public:
    Lateness() noexcept : number_(delay_plan.draw()) {
        if ((number_ & 2) != 0) pass();
    }
    ~Lateness() {
        if (number_ != 0 && (number_ & 2) == 0) pass();
    }
    Lateness(const Lateness&) = delete;
    Lateness& operator=(const Lateness&) = delete;

private:
    /// A power of two of microseconds: short delays meet other calls, and long ones whole collections.
    void pass() const noexcept {
        const int error = errno;
        const std::uint64_t microseconds = std::uint64_t{1} << (number_ >> 8) % 17;
        if (late_us + microseconds > latest_us) return;
        late_us += microseconds;
        const timespec time{0, static_cast<long>(microseconds * 1000)};
        (void)::nanosleep(&time, nullptr);
        errno = error;
    }
    std::uint64_t number_;
};

/// Whether the call is to fail, with one of `errors`, in errno.
bool fails(std::initializer_list<int> errors) noexcept {
    const auto number = error_plan.draw();
    if (number == 0) return false;
    errno = errors.begin()[(number >> 8) % errors.size()];
    return true;
}

/// For calls that move bytes: as fails(), or else `count` becomes less, and never nothing.
bool fails_or_is_short(std::initializer_list<int> errors, std::size_t& count) noexcept {
    const auto number = error_plan.draw();
    if (number == 0) return false;
    if (number >> 63 && count > 1) {
        count = 1 + (number >> 8) % (count - 1);
        return false;
    }
    errno = errors.begin()[(number >> 8) % errors.size()];
    return true;
}

}  // namespace

void plan_errors(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept {
    error_plan.begin(mix(seed, stream, 0xca11), one_in, tally);
}

void plan_delays(std::uint64_t seed, std::uint64_t stream, std::uint64_t one_in,
                 std::atomic<std::uint64_t>& tally) noexcept {
    delay_plan.begin(mix(seed, stream, 0x510), one_in, tally);
}

bool errors_are_planned() noexcept {
    return error_plan.one_in.load(std::memory_order_relaxed) != 0;
}

LibraryCall::LibraryCall() noexcept {
    in_library = true;
    late_us = 0;
}
LibraryCall::~LibraryCall() { in_library = false; }
OutsideLibrary::OutsideLibrary() noexcept : before_(in_library) { in_library = false; }
OutsideLibrary::~OutsideLibrary() { in_library = before_; }

}  // namespace larder::stress

// The linker's names: a call of `open` becomes one of `__wrap_open`, and `__real_open` is the system's.
#define LARDER_WRAP(result, name, parameters, arguments, ...)        \
    extern "C" result __real_##name parameters;                      \
    extern "C" result __wrap_##name parameters;                      \
    extern "C" result __wrap_##name parameters {                     \
        if (larder::stress::fails({__VA_ARGS__})) return (result)-1; \
        const larder::stress::Lateness lateness;                     \
        return __real_##name arguments;                              \
    }
#define LARDER_WRAP_BYTES(name, parameters, arguments, count, ...)              \
    extern "C" ssize_t __real_##name parameters;                                \
    extern "C" ssize_t __wrap_##name parameters;                                \
    extern "C" ssize_t __wrap_##name parameters {                               \
        if (larder::stress::fails_or_is_short({__VA_ARGS__}, count)) return -1; \
        const larder::stress::Lateness lateness;                                \
        return __real_##name arguments;                                         \
    }

LARDER_WRAP(int, mkdirat, (int dir, const char* name, mode_t mode), (dir, name, mode), ENOSPC, EIO)
LARDER_WRAP(int, unlinkat, (int dir, const char* name, int flags), (dir, name, flags), EIO)
LARDER_WRAP(int, renameat, (int from_dir, const char* from, int to_dir, const char* to),
            (from_dir, from, to_dir, to), ENOSPC, EIO)
LARDER_WRAP(int, symlinkat, (const char* target, int dir, const char* name), (target, dir, name),
            ENOSPC, EIO)
LARDER_WRAP(int, linkat, (int from_dir, const char* from, int to_dir, const char* to, int flags),
            (from_dir, from, to_dir, to, flags), ENOSPC, EIO)
LARDER_WRAP(ssize_t, readlinkat, (int dir, const char* name, char* to, size_t size),
            (dir, name, to, size), EIO)
LARDER_WRAP(int, fstatat, (int dir, const char* name, struct stat* to, int flags),
            (dir, name, to, flags), EIO)
LARDER_WRAP(int, fstat, (int fd, struct stat* to), (fd, to), EIO)
LARDER_WRAP(int, lstat, (const char* path, struct stat* to), (path, to), EIO)
LARDER_WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode), EIO)
LARDER_WRAP(int, fsync, (int fd), (fd), EIO, EINTR)
LARDER_WRAP(int, syncfs, (int fd), (fd), EIO)
LARDER_WRAP(int, faccessat, (int dir, const char* name, int mode, int flags),
            (dir, name, mode, flags), EIO)
LARDER_WRAP(void*, mmap, (void* at, size_t size, int access, int flags, int fd, off_t offset),
            (at, size, access, flags, fd, offset), ENOMEM)

LARDER_WRAP_BYTES(read, (int fd, void* to, size_t count), (fd, to, count), count, EIO, EINTR)
LARDER_WRAP_BYTES(pread, (int fd, void* to, size_t count, off_t at), (fd, to, count, at), count,
                  EIO, EINTR)
LARDER_WRAP_BYTES(write, (int fd, const void* from, size_t count), (fd, from, count), count, ENOSPC,
                  EIO, EINTR)
LARDER_WRAP_BYTES(pwrite, (int fd, const void* from, size_t count, off_t at), (fd, from, count, at),
                  count, ENOSPC, EIO, EINTR)
LARDER_WRAP_BYTES(copy_file_range,
                  (int from, off_t* from_at, int to, off_t* to_at, size_t count, unsigned flags),
                  (from, from_at, to, to_at, count, flags), count, ENOSPC, EIO, EINTR)

extern "C" {

// Those with a variable number of arguments get what their callers give them.

int __real_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...);
int __wrap_open(const char* path, int flags, ...) {
    std::va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if ((flags & O_CREAT) != 0 ? larder::stress::fails({EMFILE, EIO, EINTR, ENOSPC})
                               : larder::stress::fails({EMFILE, EIO, EINTR}))
        return -1;
    const larder::stress::Lateness lateness;
    return __real_open(path, flags, mode);
}

int __real_openat(int dir, const char* path, int flags, ...);
int __wrap_openat(int dir, const char* path, int flags, ...);
int __wrap_openat(int dir, const char* path, int flags, ...) {
    std::va_list more;
    va_start(more, flags);
    const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(more, mode_t) : 0;
    va_end(more);
    if ((flags & O_CREAT) != 0 ? larder::stress::fails({EMFILE, EIO, EINTR, ENOSPC})
                               : larder::stress::fails({EMFILE, EIO, EINTR}))
        return -1;
    const larder::stress::Lateness lateness;
    return __real_openat(dir, path, flags, mode);
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...) {
    std::va_list more;
    va_start(more, command);
    void* const argument = va_arg(more, void*);  // an int travels in the same register
    va_end(more);
    const bool takes_lock =
        command == F_OFD_SETLK && static_cast<struct flock*>(argument)->l_type != F_UNLCK;
    if (takes_lock && larder::stress::fails({ENOLCK, EINTR})) return -1;
    const larder::stress::Lateness lateness;
    return __real_fcntl(fd, command, argument);
}

// The renames and openings with flags of their own, and listing. No system call takes more than six arguments, and the registers
// of those that were not given hold something that the kernel does not look at.
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
long __wrap_syscall(long number, ...) {
    std::va_list more;
    va_start(more, number);
    long arguments[6];
    for (long& argument : arguments) argument = va_arg(more, long);
    va_end(more);
    if (number == SYS_renameat2 && larder::stress::fails({ENOSPC, EIO})) return -1;
    if (number == SYS_getdents64 && larder::stress::fails({EIO})) return -1;
#ifdef SYS_openat2
    if (number == SYS_openat2 && larder::stress::fails({EMFILE, EIO, EINTR})) return -1;
#endif
    const larder::stress::Lateness lateness;
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3],
                          arguments[4], arguments[5]);
}

}  // extern "C"
