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

/// Room for a file of /proc. Lies on the stack, because the process may have no memory left to
/// allocate.
using ProcBuffer = std::array<char, 4096>;

/// Reads the first bytes of a file in /proc, as many as the buffer holds. Returns a text in the
/// buffer; an empty one, and errno, if the file cannot be read. A relative path begins at the
/// directory `from`.
std::string_view read_start(const char* path, ProcBuffer& buffer, int from = AT_FDCWD) noexcept {
    const Fd fd(retry([&] { return ::openat(from, path, O_RDONLY | O_CLOEXEC); }));
    if (!fd) return {};
    const auto got = retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// The path "/proc/PID/NAME"; "/proc/PID/" if the name is empty. The longest one that is used here
/// fits.
struct ProcPath {
    ProcPath(std::int64_t pid, const char* name) noexcept {
        std::snprintf(text.data(), text.size(), "/proc/%lld/%s", static_cast<long long>(pid), name);
    }
    std::array<char, 64> text;
};

/// Returns whether a process certainly has no thread besides its first one. Returns false if the
/// system does not tell.
bool has_one_thread(std::int64_t pid) noexcept {
    const ProcPath tasks(pid, "task");
    struct stat status {};
    if (retry([&] { return ::stat(tasks.text.data(), &status); }) != 0)
        return errno == ENOENT || errno == ESRCH;  // by now there is no such process
    // The directory has a subdirectory for each thread. Its number of links is that of its
    // subdirectories, and two more.
    return status.st_nlink <= 3;
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

/// Returns the inode of what stands at a path in /proc, such as a namespace of a process. Returns
/// 0, and errno, if the system does not tell it.
std::uint64_t inode_at(const char* path) noexcept {
    struct stat status {};
    if (retry([&] { return ::stat(path, &status); }) != 0) return 0;
    return static_cast<std::uint64_t>(status.st_ino);
}

/// The inodes of the namespaces in which the machine starts: see PROC_PID_INIT_INO and
/// PROC_TIME_INIT_INO in the kernel's linux/proc_ns.h. A kernel without namespaces has these alone.
constexpr std::uint64_t first_pid_namespace = 0xef'ff'ff'fc, first_time_namespace = 0xef'ff'ff'fa;

/// Returns the inode of a namespace of this process; `first` if the kernel has no such namespaces;
/// 0 if the system does not tell.
std::uint64_t namespace_or_first(const char* path, std::uint64_t first) noexcept {
    const std::uint64_t inode = inode_at(path);
    if (inode != 0) return inode;
    // The file may be missing because there is no /proc here. Then nothing is known.
    const bool kernel_lacks_it = errno == ENOENT && inode_at("/proc/self/stat") != 0;
    return kernel_lacks_it ? first : 0;
}

/// Finds one line of a text that comes in pieces, and keeps what it says.
class LineFinder {
public:
    /// Looks for the line that begins with the name, a colon and a tab.
    explicit LineFinder(std::string_view name) noexcept : name_(name) {}

    /// Takes the next byte of the text. Returns true once the whole line has come.
    bool take(char c) noexcept {
        if (c == '\n') {
            if (state_ == State::in_value) return true;
            state_ = State::in_name;
            matched_ = 0;
            return false;
        }
        if (state_ == State::in_value && size_ < value_.size()) value_[size_++] = c;
        if (state_ != State::in_name) return false;
        const char wanted = matched_ < name_.size()    ? name_[matched_]
                            : matched_ == name_.size() ? ':'
                                                       : '\t';
        if (c != wanted) state_ = State::in_other_line;
        if (c == wanted && ++matched_ == name_.size() + 2) state_ = State::in_value;
        return false;
    }

    /// Returns what stands behind the tab. Requires: take has returned true.
    [[nodiscard]] std::string_view value() const noexcept { return {value_.data(), size_}; }

private:
    enum class State : unsigned char { in_name, in_value, in_other_line };
    std::string_view name_;
    State state_ = State::in_name;
    std::size_t matched_ = 0;
    // Longer than a line that is wanted here: NSpid has a number for each of at most 33 namespaces.
    std::array<char, 512> value_{};
    std::size_t size_ = 0;
};

/// Reads the line NAME of the status of a process to the finder. Returns 0 if it is there, and
/// ENODATA if the status has no such line; otherwise the system's error. The line may stand far
/// from the beginning: a process may be in 65,536 groups, and the line Groups names each.
int find_status_line(const char* path, LineFinder& finder) noexcept {
    const Fd fd(retry([&] { return ::open(path, O_RDONLY | O_CLOEXEC); }));
    if (!fd) return errno;
    ProcBuffer buffer;
    for (;;) {
        const auto got = retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
        if (got < 0) return errno;
        if (got == 0) return ENODATA;
        for (const char c : std::string_view(buffer.data(), static_cast<std::size_t>(got))) {
            if (finder.take(c)) return 0;
        }
    }
}

/// Returns whether this process has the privilege to which procfs shows all processes
/// (CAP_SYS_PTRACE); false if the system does not tell.
bool has_ptrace_privilege() noexcept {
    LineFinder capabilities("CapEff");
    if (find_status_line("/proc/self/status", capabilities) != 0) return false;
    const std::string_view text = capabilities.value();
    std::uint64_t privileges = 0;  // a bit for each
    std::from_chars(text.data(), text.data() + text.size(), privileges, 16);
    constexpr unsigned ptrace = 19;  // the number of CAP_SYS_PTRACE in linux/capability.h
    return (privileges >> ptrace & 1) != 0;
}

/// Returns whether /proc shows this process all processes of the machine, and what they are.
bool sees_all_processes() noexcept {
    if (inode_at("/proc/self/ns/pid") != first_pid_namespace || !proc_is_ours()) return false;
    // The option `hidepid` of procfs hides the processes of other users. Then a process without
    // privileges can't read the status of process 1, and one that can read it has the privilege.
    ProcBuffer buffer;
    if (read_start("/proc/1/status", buffer).empty()) return false;
    // Process 1 belongs to root, so a process of root's reads its status in any case.
    return ::geteuid() != 0 || has_ptrace_privilege();
}

/// Reads the state and the start of a process from the file `stat` in its directory of /proc:
/// fields 3 and 22. Field 2, the name of the command in brackets, may contain spaces and brackets.
/// So the fields are counted from the last bracket. What can't be read stays unknown.
///
/// The file is opened by its name in that directory. A program of another processor runs in an
/// emulator, which gives it a `stat` of its own in place of the kernel's if it asks for the whole
/// path. There the process starts some time later than other processes see.
KernelView read_view(const char* directory, std::int64_t pid) noexcept {
    KernelView view;
    const Fd of_process(retry([&] { return ::open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC); }));
    if (!of_process) return view;
    ProcBuffer buffer;
    const std::string_view text = read_start("stat", buffer, of_process.get());
    auto at = text.rfind(')');
    if (at == text.npos || at + 2 >= text.size()) return view;
    const char state = text[at + 2];
    for (int field = 2; field < 22 && at != text.npos; ++field) at = text.find(' ', at + 1);
    if (at != text.npos)
        std::from_chars(text.data() + at + 1, text.data() + text.size(), view.start);
    // The kernel shows the state of the first thread. Other threads may still run after it has
    // ended.
    view.ended = (state == 'Z' || state == 'X') && has_one_thread(pid);
    return view;
}

/// Returns whether this error of reading a file of a process says that there is no such process.
bool says_it_has_ended(int error) noexcept { return error == ENOENT || error == ESRCH; }

/// Reads what is known about a process of an inner pid namespace. Returns an InnerProcess with the
/// pid 0 if the process has ended, or is one of our own namespace. Returns nullopt if it can't be
/// known what the process is.
std::optional<InnerProcess> read_inner_process(std::int64_t pid) noexcept {
    const ProcPath status(pid, "status");
    // The numbers of the process in all namespaces from ours down to its own, with tabs between
    // them. Kernels before Linux 4.1 have no such line.
    LineFinder numbers("NSpid");
    const int error = find_status_line(status.text.data(), numbers);
    if (says_it_has_ended(error)) return InnerProcess{};
    if (error != 0) return std::nullopt;
    const std::string_view pids = numbers.value();
    const auto last_tab = pids.rfind('\t');
    if (last_tab == pids.npos) return InnerProcess{};
    InnerProcess inner;
    std::from_chars(pids.data() + last_tab + 1, pids.data() + pids.size(), inner.pid);
    inner.pid_namespace = inode_at(ProcPath(pid, "ns/pid").text.data());
    inner.view = read_view(ProcPath(pid, "").text.data(), pid);
    // If the process has ended meanwhile, its namespace and its start are not known. Then it would
    // seem to be any process that is looked for.
    LineFinder again("NSpid");
    const bool has_ended = says_it_has_ended(find_status_line(status.text.data(), again));
    return has_ended ? InnerProcess{} : inner;
}

/// Returns the pid that a name in /proc stands for; nullopt if the name is none of a process.
std::optional<std::int64_t> pid_of_name(std::string_view name) noexcept {
    std::int64_t pid = 0;
    const char* const end = name.data() + name.size();
    const auto parsed = std::from_chars(name.data(), end, pid);
    if (parsed.ec != std::errc() || parsed.ptr != end) return std::nullopt;
    return pid;
}

/// Returns the offset of the clock `boottime` in the text of /proc/PID/timens_offsets, in
/// nanoseconds; nullopt if the text does not have it. A line is "NAME SECONDS NANOSECONDS", with
/// any number of spaces between them.
std::optional<std::int64_t> boottime_offset(std::string_view text) noexcept {
    constexpr std::string_view name = "boottime";
    const auto line = text.find(name);
    if (line == text.npos) return std::nullopt;
    std::array<std::int64_t, 2> numbers{};  // seconds, nanoseconds
    const char* from = text.data() + line + name.size();
    const char* const end = text.data() + text.size();
    for (auto& number : numbers) {
        while (from != end && *from == ' ') ++from;
        const auto parsed = std::from_chars(from, end, number);
        if (parsed.ec != std::errc()) return std::nullopt;
        from = parsed.ptr;
    }
    return numbers[0] * 1'000'000'000 + numbers[1];
}

/// Returns the id in the text of a UUID; zeros if the text is empty.
BootId parse_boot_id(std::string_view text) noexcept {
    BootId id{};
    std::size_t digits = 0;
    for (const char c : text) {
        const int value = base::hex_value(c);
        if (value < 0 || digits == 2 * id.size()) continue;  // a dash, or the newline
        id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | value);
        ++digits;
    }
    return id;
}

}  // namespace

KernelView view_of(std::int64_t pid) noexcept {
    if (!proc_is_ours()) return {};
    return read_view(ProcPath(pid, "").text.data(), pid);
}

/// Uses no path with the pid, because /proc may show another pid namespace.
KernelView view_of_this_process() noexcept { return read_view("/proc/self", ::getpid()); }

/// The kernel shows programs a hundred ticks in a second (USER_HZ), whatever it counts itself.
const std::uint64_t start_unit = 10'000'000;

bool has_all_users() noexcept {
    ProcBuffer buffer;
    const std::string_view map = read_start("/proc/self/uid_map", buffer);
    // A line has the first user here, the first one outside, and how many there are. Only one range
    // has so many.
    return map.empty() || map.find("4294967295") != map.npos;
}

std::optional<std::int64_t> clock_offset() noexcept {
    const std::uint64_t current = time_namespace();
    if (current == 0) return std::nullopt;
    if (current == first_time_namespace) return 0;
    // The kernel shows the offsets of the namespace that children get. That is another one only
    // between an unshare and the next fork or execve.
    if (inode_at("/proc/self/ns/time_for_children") != current) return std::nullopt;
    ProcBuffer buffer;
    return boottime_offset(read_start("/proc/self/timens_offsets", buffer));
}

std::uint64_t pid_namespace() noexcept {
    return namespace_or_first("/proc/self/ns/pid", first_pid_namespace);
}

std::uint64_t time_namespace() noexcept {
    return namespace_or_first("/proc/self/ns/time", first_time_namespace);
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
    bool all_known = true;
    for (;;) {
        errno = 0;  // the end and an error both return null, but the end leaves errno
        const dirent* const entry = ::readdir(proc.get());
        if (entry == nullptr && errno == EINTR) continue;
        if (entry == nullptr) break;
        const auto pid = pid_of_name(static_cast<const char*>(entry->d_name));
        if (!pid) continue;
        const auto inner = read_inner_process(*pid);
        if (!inner) all_known = false;
        if (inner && inner->pid != 0 && visit(*inner)) return true;
    }
    const bool was_listed_to_the_end = errno == 0;
    if (!all_known || !was_listed_to_the_end) return std::nullopt;
    return false;
}

/// Reads the id from a file of the kernel's. A container may mount a file of its own over that one,
/// or a whole file system; then the id is not real.
BootIdRead read_boot_id() noexcept {
    constexpr const char* path = "/proc/sys/kernel/random/boot_id";
    struct statfs file_system {};
    const bool lies_in_proc = retry([&] { return ::statfs(path, &file_system); }) == 0 &&
                              file_system.f_type == PROC_SUPER_MAGIC;
    ProcBuffer buffer;
    return {.id = parse_boot_id(read_start(path, buffer)), .is_real = lies_in_proc};
}

/// Makes the system call itself: getentropy of glibc makes it again for ever if it is interrupted.
/// A call that fills only a part counts as failed, with EIO.
int fill_with_random(void* bytes, std::size_t size) {
    const long got = ::syscall(SYS_getrandom, bytes, size, 0);
    if (got >= 0 && static_cast<std::size_t>(got) != size) errno = EIO;
    return got == static_cast<long>(size) ? 0 : -1;
}

std::string command_line() {
    // The kernel writes a zero byte after each word.
    ProcBuffer buffer;
    std::string text(read_start("/proc/self/cmdline", buffer));
    while (!text.empty() && text.back() == '\0') text.pop_back();
    for (char& c : text) {
        if (c == '\0') c = ' ';
    }
    return text;
}

timespec clock_of_kernel(clockid_t clock) noexcept {
    timespec now{};
    // Make the system call itself, because a library such as faketime may have put its own function
    // in place of clock_gettime. On 32 bits the call has another type of time.
    if (sizeof(void*) != 8 || ::syscall(SYS_clock_gettime, clock, &now) != 0)
        (void)::clock_gettime(clock, &now);
    return now;
}

std::chrono::system_clock::time_point wall_time() noexcept {
    const timespec now = clock_of_kernel(CLOCK_REALTIME);
    return std::chrono::system_clock::time_point(std::chrono::seconds(now.tv_sec) +
                                                 std::chrono::nanoseconds(now.tv_nsec));
}

int touch(int directory, const char* name) noexcept {
    // The system call itself, for the same reason. Its timespec has two longs on every machine.
    const long times[4] = {0, UTIME_OMIT, 0, UTIME_NOW};
    return static_cast<int>(::syscall(SYS_utimensat, directory, name, times, AT_SYMLINK_NOFOLLOW));
}

std::int64_t thread_number() noexcept { return static_cast<std::int64_t>(::syscall(SYS_gettid)); }

}  // namespace larder::os::platform

#endif
