// SPDX-License-Identifier: MIT
// What Linux does in its own way, about processes. For files and file systems see linux_files.cpp.
#ifdef __linux__

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <memory>
#include <string_view>
#include <time.h>

#include "base/hex.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os::platform {

namespace {

/// Lies on the stack, because the process may have no memory left to allocate.
using Buffer = std::array<char, 4096>;

/// Reads the first bytes of a file in /proc, as many as the buffer holds. Returns an empty text,
/// and leaves errno, if it cannot be read.
std::string_view read_some(const char* path, Buffer& buffer) noexcept {
    const Fd fd(retry([&] { return ::open(path, O_RDONLY | O_CLOEXEC); }));
    if (!fd) return {};
    const auto got = retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// The path "/proc/PID/NAME". The longest one that is used here fits.
struct ProcPath {
    ProcPath(std::int64_t pid, const char* name) noexcept {
        std::snprintf(text.data(), text.size(), "/proc/%lld/%s", static_cast<long long>(pid), name);
    }
    std::array<char, 64> text;
};

/// Returns whether a process has a second thread.
bool has_other_threads(std::int64_t pid) noexcept {
    struct stat status {};
    // The directory has a subdirectory for each thread. Its number of links is that of its
    // subdirectories, and two more.
    return retry([&] { return ::stat(ProcPath(pid, "task").text.data(), &status); }) == 0 &&
           status.st_nlink > 3;
}

/// Returns whether /proc shows the pid namespace of this process. It may have been mounted in
/// another one: then its numbers are those of other processes.
bool proc_is_ours() noexcept {
    std::array<char, 32> text{};
    const auto length = retry([&] { return ::readlink("/proc/self", text.data(), text.size()); });
    std::int64_t pid = 0;
    return length > 0 &&
           std::from_chars(text.data(), text.data() + length, pid).ec == std::errc() &&
           pid == ::getpid();
}

/// Returns the inode of a namespace of a process. Returns 0 if the system does not tell it.
std::uint64_t namespace_at(const char* path) noexcept {
    struct stat status {};
    return retry([&] { return ::stat(path, &status); }) == 0
               ? static_cast<std::uint64_t>(status.st_ino)
               : 0;
}

/// The inodes of the namespaces in which the machine starts: see PROC_PID_INIT_INO and
/// PROC_TIME_INIT_INO in the kernel's linux/proc_ns.h. A kernel without namespaces has these alone.
constexpr std::uint64_t first_pid_namespace = 0xef'ff'ff'fc, first_time_namespace = 0xef'ff'ff'fa;

/// Does the same, and returns `first` if the kernel has no such namespaces.
std::uint64_t namespace_or_first(const char* path, std::uint64_t first) noexcept {
    const std::uint64_t inode = namespace_at(path);
    if (inode != 0) return inode;
    return errno == ENOENT && namespace_at("/proc/self/stat") != 0 ? first : 0;
}

/// Returns the text behind "NAME:\t" in the status of a process, up to the end of the line. Returns
/// an empty text if there is no such line.
std::string_view status_field(std::string_view status, std::string_view name) noexcept {
    for (auto at = status.find(name); at != status.npos; at = status.find(name, at + 1)) {
        const auto behind = at + name.size();
        if ((at != 0 && status[at - 1] != '\n') || status.substr(behind, 2) != ":\t") continue;
        const auto text = status.substr(behind + 2);
        const auto end = text.find('\n');
        // A line without an end may have been cut off.
        return end == text.npos ? std::string_view() : text.substr(0, end);
    }
    return {};
}

/// Returns whether /proc shows this process all processes of the machine, and what they are.
bool sees_all_processes() noexcept {
    if (namespace_at("/proc/self/ns/pid") != first_pid_namespace || !proc_is_ours()) return false;
    // The option `hidepid` of procfs hides the processes of other users. Then a process without
    // privileges can't read the status of process 1, and one that can read it has the privilege.
    // (A process of root's own reads it in any case, so its privilege is looked at itself.)
    Buffer buffer;
    if (read_some("/proc/1/status", buffer).empty()) return false;
    if (::geteuid() != 0) return true;
    std::uint64_t privileges = 0;
    const auto text = status_field(read_some("/proc/self/status", buffer), "CapEff");
    std::from_chars(text.data(), text.data() + text.size(), privileges, 16);
    constexpr unsigned ptrace = 19;  // CAP_SYS_PTRACE in linux/capability.h
    return (privileges >> ptrace & 1) != 0;
}

/// Reads the state and the start, which are fields 3 and 22 of /proc/PID/stat. Field 2, the name of
/// the command in brackets, may contain spaces and brackets. So the fields are counted from the
/// last bracket.
KernelView view_in(const char* path, std::int64_t pid) noexcept {
    KernelView view;
    Buffer buffer;
    const std::string_view text = read_some(path, buffer);
    auto at = text.rfind(')');
    if (at == text.npos || at + 2 >= text.size()) return view;
    const char state = text[at + 2];
    for (int field = 2; field < 22 && at != text.npos; ++field) at = text.find(' ', at + 1);
    if (at != text.npos)
        std::from_chars(text.data() + at + 1, text.data() + text.size(), view.start);
    // The kernel shows the state of the first thread. Other threads may still run after it has
    // ended.
    view.ended = (state == 'Z' || state == 'X') && !has_other_threads(pid);
    return view;
}

/// Reads the status of a process. `has_ended` says whether it is certain that there is none.
std::string_view status_of(std::int64_t pid, Buffer& buffer, bool& has_ended) noexcept {
    errno = 0;
    const std::string_view status = read_some(ProcPath(pid, "status").text.data(), buffer);
    has_ended = status.empty() && (errno == ENOENT || errno == ESRCH);
    return status;
}

/// Reads the numbers of a process in all namespaces from ours down to its own. Returns nullopt if
/// they can't be known; an inner pid of 0 if the process has ended, or is of our namespace.
std::optional<InnerProcess> inner_process(std::int64_t pid) noexcept {
    Buffer buffer;
    bool has_ended = false;
    const std::string_view status = status_of(pid, buffer, has_ended);
    if (has_ended) return InnerProcess{};
    const std::string_view pids = status_field(status, "NSpid");  // since Linux 4.1
    if (pids.empty()) return std::nullopt;
    const auto last = pids.rfind('\t');
    if (last == pids.npos) return InnerProcess{};
    InnerProcess inner;
    std::from_chars(pids.data() + last + 1, pids.data() + pids.size(), inner.pid);
    inner.pid_namespace = namespace_at(ProcPath(pid, "ns/pid").text.data());
    inner.view = view_in(ProcPath(pid, "stat").text.data(), pid);
    // If it has ended meanwhile, its namespace and its start could not be read. They would seem to
    // be those of any process that is looked for.
    (void)status_of(pid, buffer, has_ended);
    return has_ended ? InnerProcess{} : inner;
}

}  // namespace

KernelView view_of(std::int64_t pid) noexcept {
    if (!proc_is_ours()) return {};
    return view_in(ProcPath(pid, "stat").text.data(), pid);
}

/// Does not use the pid, because /proc may show another pid namespace.
KernelView view_of_this_process() noexcept { return view_in("/proc/self/stat", ::getpid()); }

/// The kernel shows programs a hundred ticks in a second (USER_HZ), whatever it counts itself.
const std::uint64_t start_unit = 10'000'000;

std::optional<std::int64_t> clock_offset() noexcept {
    const std::uint64_t current = namespace_or_first("/proc/self/ns/time", first_time_namespace);
    if (current == 0) return std::nullopt;
    if (current == first_time_namespace) return 0;
    // The kernel shows the offsets of the namespace that children get. That is another one only
    // between an unshare and the next fork or execve.
    if (namespace_at("/proc/self/ns/time_for_children") != current) return std::nullopt;
    Buffer buffer;
    const std::string_view text = read_some("/proc/self/timens_offsets", buffer);
    constexpr std::string_view name = "boottime";
    const auto at = text.find(name);
    if (at == text.npos) return std::nullopt;
    std::array<std::int64_t, 2> numbers{};  // seconds, nanoseconds
    const char* from = text.data() + at + name.size();
    const char* const end = text.data() + text.size();
    for (auto& number : numbers) {
        while (from != end && *from == ' ') ++from;
        const auto parsed = std::from_chars(from, end, number);
        if (parsed.ec != std::errc()) return std::nullopt;
        from = parsed.ptr;
    }
    return numbers[0] * 1'000'000'000 + numbers[1];
}

std::uint64_t pid_namespace() noexcept {
    return namespace_or_first("/proc/self/ns/pid", first_pid_namespace);
}

/// The kernel lists processes in the order of their pids, so none that exists all the time is left
/// out.
std::optional<bool> any_inner_process(
    const std::function<bool(const InnerProcess&)>& visit) noexcept {
    if (!sees_all_processes()) return std::nullopt;
    Fd fd(retry([&] { return ::open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
    if (!fd) return std::nullopt;
    const std::unique_ptr<DIR, int (*)(DIR*)> proc(::fdopendir(fd.get()), ::closedir);
    if (!proc) return std::nullopt;
    (void)fd.release();  // closedir closes it
    bool complete = true;
    for (;;) {
        errno = 0;
        const dirent* const entry = ::readdir(proc.get());
        if (entry == nullptr && errno == EINTR) continue;
        if (entry == nullptr) break;
        const std::string_view name = static_cast<const char*>(entry->d_name);
        std::int64_t pid = 0;
        const auto parsed = std::from_chars(name.data(), name.data() + name.size(), pid);
        if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
        const auto inner = inner_process(pid);
        if (!inner) complete = false;
        if (inner && inner->pid != 0 && visit(*inner)) return true;
    }
    if (!complete || errno != 0) return std::nullopt;
    return false;
}

/// Reads the id from a file of the kernel's. A container may mount a file of its own over that one,
/// or a whole file system; then the id is not real.
BootIdRead read_boot_id() noexcept {
    BootIdRead result;
    BootId& id = result.id;
    Buffer buffer;
    constexpr const char* path = "/proc/sys/kernel/random/boot_id";
    struct statfs file_system {};
    result.is_real = retry([&] { return ::statfs(path, &file_system); }) == 0 &&
                     file_system.f_type == PROC_SUPER_MAGIC;
    const std::string_view text = read_some(path, buffer);
    std::size_t digits = 0;
    for (const char c : text) {
        const int value = base::hex_value(c);
        if (value < 0 || digits == 32) continue;
        id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | value);
        ++digits;
    }
    return result;
}

/// Makes the system call itself: getentropy of glibc makes it again for ever if it is interrupted.
int fill_with_random(void* bytes, std::size_t size) {
    const long got = ::syscall(SYS_getrandom, bytes, size, 0);
    if (got >= 0 && static_cast<std::size_t>(got) != size) errno = EIO;
    return got == static_cast<long>(size) ? 0 : -1;
}

std::string command_line() {
    Buffer buffer;
    std::string text(read_some("/proc/self/cmdline", buffer));
    while (!text.empty() && text.back() == '\0') text.pop_back();
    for (char& c : text) {
        if (c == '\0') c = ' ';
    }
    return text;
}

std::chrono::system_clock::time_point wall_time() noexcept {
    timespec now{};
    // The call itself, because a library may stand before the function of that name. On 32 bits the
    // call has another type of time.
    if (sizeof(void*) != 8 || ::syscall(SYS_clock_gettime, CLOCK_REALTIME, &now) != 0)
        (void)::clock_gettime(CLOCK_REALTIME, &now);
    return std::chrono::system_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                                 std::chrono::nanoseconds(now.tv_nsec));
}

int touch(int directory, const char* name) noexcept {
    // As above. The kernel's old timespec has two longs on every machine.
    const long times[4] = {0, UTIME_OMIT, 0, UTIME_NOW};
    return static_cast<int>(::syscall(SYS_utimensat, directory, name, times, AT_SYMLINK_NOFOLLOW));
}

std::int64_t thread_number() noexcept { return static_cast<std::int64_t>(::syscall(SYS_gettid)); }

}  // namespace larder::os::platform

#endif
