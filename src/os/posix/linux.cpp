// SPDX-License-Identifier: MIT
// What Linux does in its own way, about processes. For files and file systems see linux_files.cpp.
#ifdef __linux__

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>
#include <string_view>

#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os::platform {

namespace {

/// Lies on the stack, because the process may have no memory left to allocate.
using Buffer = std::array<char, 4096>;

/// Reads the first bytes of a file in /proc. Returns an empty text if it cannot be read.
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

int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

}  // namespace

/// Reads the state and the start, which are fields 3 and 22 of /proc/PID/stat. Field 2, the name of
/// the command in brackets, may contain spaces and brackets. So the fields are counted from the
/// last bracket.
KernelView view_of(std::int64_t pid) noexcept {
    KernelView view;
    Buffer buffer;
    const std::string_view text = read_some(ProcPath(pid, "stat").text.data(), buffer);
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

std::uint64_t pid_namespace() noexcept {
    struct stat status {};
    return retry([&] { return ::stat("/proc/self/ns/pid", &status); }) == 0
               ? static_cast<std::uint64_t>(status.st_ino)
               : 0;
}

BootId read_boot_id() noexcept {
    BootId id{};
    Buffer buffer;
    const std::string_view text = read_some("/proc/sys/kernel/random/boot_id", buffer);
    std::size_t digits = 0;
    for (const char c : text) {
        const int value = hex_value(c);
        if (value < 0 || digits == 32) continue;
        id[digits / 2] = static_cast<std::uint8_t>(id[digits / 2] << 4 | value);
        ++digits;
    }
    return id;
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

std::int64_t thread_number() noexcept { return static_cast<std::int64_t>(::syscall(SYS_gettid)); }

}  // namespace larder::os::platform

#endif
