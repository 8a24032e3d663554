// SPDX-License-Identifier: MIT
// What macOS does in its own way, about processes. For files and file systems see apple_files.cpp.
// This file was compiled for macOS, but never run there. docs/macos.md says what each part relies
// on.
#ifdef __APPLE__

#include <fcntl.h>
#include <libproc.h>
#include <pthread.h>
#include <sys/proc.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include <crt_externs.h>
#include <iterator>
#include <string_view>
#include <time.h>
#include <uuid/uuid.h>

#include "os/posix/platform.hpp"

namespace larder::os::platform {

namespace {

/// Returns the start of a process as one number. The kernel writes down the time of day when it
/// makes a process. Neither a change of the clock nor an execve changes that time.
template <class Seconds, class Microseconds>
std::uint64_t start_of(Seconds seconds, Microseconds microseconds) noexcept {
    return static_cast<std::uint64_t>(seconds) * 1'000'000 +
           static_cast<std::uint64_t>(microseconds);
}

}  // namespace

/// On macOS, a process becomes a zombie only when all its threads have ended.
KernelView view_of(std::int64_t pid) noexcept {
    // The third argument asks for zombies too. (Apple documents no part of this call; see
    // proc_pidinfo in the kernel's source, bsd/kern/proc_info.c.)
    proc_bsdinfo info{};
    constexpr int info_size = sizeof info;
    if (::proc_pidinfo(static_cast<int>(pid), PROC_PIDTBSDINFO, 1, &info, info_size) == info_size) {
        return {.ended = info.pbi_status == SZOMB,
                .start = start_of(info.pbi_start_tvsec, info.pbi_start_tvusec)};
    }
    // The call above fails with EPERM for a process of another user. The next call works for every
    // user, but makes the kernel look through all processes.
    int name[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
    kinfo_proc process{};
    std::size_t size = sizeof process;
    if (::sysctl(name, std::size(name), &process, &size, nullptr, 0) != 0 || size != sizeof process)
        return {};
    const auto& entry = process.kp_proc;
    return {.ended = entry.p_stat == SZOMB,
            .start = start_of(entry.p_starttime.tv_sec, entry.p_starttime.tv_usec)};
}

KernelView view_of_this_process() noexcept { return view_of(::getpid()); }

const std::uint64_t start_unit = 1000;

/// macOS has no time namespaces.
std::optional<std::int64_t> clock_offset() noexcept { return 0; }

/// macOS has one pid namespace, which has no number of its own.
std::uint64_t pid_namespace() noexcept { return 1; }

std::uint64_t time_namespace() noexcept { return 1; }

/// No process is of another pid namespace.
std::optional<bool> any_inner_process(const std::function<bool(const InnerProcess&)>&) noexcept {
    return false;
}

/// Reads a UUID that the kernel draws while it boots (bsd/kern/kern_sysctl.c). kern.boottime cannot
/// be used, because setting the clock changes it.
BootIdRead read_boot_id() noexcept {
    BootId id{};
    uuid_string_t text{};
    std::size_t size = sizeof text;
    if (::sysctlbyname("kern.bootsessionuuid", text, &size, nullptr, 0) != 0 ||
        ::uuid_parse(text, id.data()) != 0)
        return {};
    return {id, true};
}

bool has_all_users() noexcept { return true; }

int fill_with_random(void* bytes, std::size_t size) { return ::getentropy(bytes, size); }

/// Reads the arguments in the memory of this process. KERN_PROCARGS2 is for other processes, and
/// copies all arguments and the whole environment.
std::string command_line() {
    constexpr std::size_t enough = 4096;  // as much as linux.cpp reads
    std::string text;
    char** const arguments = *::_NSGetArgv();
    for (int i = 0; i < *::_NSGetArgc() && text.size() < enough; ++i) {
        if (i > 0) text += ' ';
        text += std::string_view(arguments[i]).substr(0, enough - text.size());
    }
    return text;
}

timespec clock_of_kernel(clockid_t clock) noexcept {
    timespec now{};
    (void)::clock_gettime(clock, &now);
    return now;
}

std::chrono::system_clock::time_point wall_time() noexcept {
    const timespec now = clock_of_kernel(CLOCK_REALTIME);
    return std::chrono::time_point_cast<std::chrono::system_clock::duration>(
        std::chrono::time_point<std::chrono::system_clock, std::chrono::nanoseconds>(
            std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec)));
}

int touch(int directory, const char* name) noexcept {
    const timespec times[2] = {{0, UTIME_OMIT}, {0, UTIME_NOW}};
    return ::utimensat(directory, name, times, AT_SYMLINK_NOFOLLOW);
}

std::int64_t thread_number() noexcept {
    std::uint64_t number = 0;
    (void)::pthread_threadid_np(nullptr, &number);  // fails only for a thread that is not ours
    return static_cast<std::int64_t>(number);
}

}  // namespace larder::os::platform

#endif
