// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <type_traits>

#include "os/file.hpp"
#include "os/points.hpp"

namespace larder::os {

namespace {

/// Random numbers from the kernel: a generator of our own would be duplicated by a fork.
std::uint64_t kernel_random() noexcept {
    std::uint64_t number = 0;
    if (::getentropy(&number, sizeof number) != 0)
        std::abort();  // no kernel that we run on can fail here
    return number;
}

/// What a forked child must not inherit.
struct Own {
    std::atomic<std::uint64_t> token;
    std::atomic<std::uint64_t> drawn;
};

void wipe_in_child();

/// A page of its own, wiped by the kernel in every forked child (also of a raw clone); where the kernel can't, by a handler.
Own& own() noexcept {
    static Own* const page = [] {
        void* memory = ::mmap(nullptr, sizeof(Own), PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED) std::abort();  // out of memory
#ifdef MADV_WIPEONFORK
        if (::madvise(memory, sizeof(Own), MADV_WIPEONFORK) == 0) return static_cast<Own*>(memory);
#endif
        ::pthread_atfork(nullptr, nullptr, wipe_in_child);
        return static_cast<Own*>(memory);
    }();
    return *page;
}

void wipe_in_child() {
    own().token = 0;
    own().drawn = 0;
}

/// Without memory of its own, as who asks about processes may have none left.
using Buffer = std::array<char, 4096>;

/// The first bytes of a file of the kernel's; empty where it can't be read.
std::string_view read_some(const char* path, Buffer& buffer) noexcept {
    const Fd fd(retry([&] { return ::open(path, O_RDONLY | O_CLOEXEC); }));
    if (!fd) return {};
    const auto got = retry([&] { return ::read(fd.get(), buffer.data(), buffer.size()); });
    return {buffer.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

/// "/proc/PID/NAME", cut off where that is too long, and then the path of nothing.
struct ProcPath {
    ProcPath(std::int64_t pid, const char* name) noexcept {
        std::snprintf(text.data(), text.size(), "/proc/%lld/%s", static_cast<long long>(pid), name);
    }
    std::array<char, 64> text;
};

struct KernelView {
    char state = '?';
    std::uint64_t start = 0;  // 0 where it can't be told
};

/// Fields 3 and 22 of /proc/PID/stat. The command's name, field 2, may hold spaces and brackets: count from the last bracket.
KernelView view_of(std::int64_t pid) noexcept {
    KernelView view;
    Buffer buffer;
    const std::string_view text = read_some(ProcPath(pid, "stat").text.data(), buffer);
    auto at = text.rfind(')');
    if (at == text.npos || at + 2 >= text.size()) return view;
    view.state = text[at + 2];
    for (int field = 2; field < 22 && at != text.npos; ++field) at = text.find(' ', at + 1);
    if (at == text.npos) return view;
    std::from_chars(text.data() + at + 1, text.data() + text.size(), view.start);
    return view;
}

/// Whether a process whose first thread has ended has others that have not.
bool has_other_threads(std::int64_t pid) noexcept {
    struct stat status {};
    // A directory's links are its subdirectories and two more: one for each thread.
    return ::stat(ProcPath(pid, "task").text.data(), &status) == 0 && status.st_nlink > 3;
}

/// The namespace in which our pid means something; 0 where it can't be told.
std::uint64_t this_pid_namespace() {
    struct stat status {};
    if (point("os.pid-namespace") != 0) return 0;
    return ::stat("/proc/self/ns/pid", &status) == 0 ? static_cast<std::uint64_t>(status.st_ino)
                                                     : 0;
}

/// The page is there before main, and with it before any fork: no child can inherit an initialization that another thread was in.
[[maybe_unused]] Own& made_before_main = own();

int hex_value(char digit) {
    if (digit >= '0' && digit <= '9') return digit - '0';
    if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
    return -1;
}

/// Zeros where it can't be told.
BootId read_boot_id() noexcept {
    BootId id{};
    if (point("os.boot-id") != 0) return id;
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

}  // namespace

std::uint64_t process_token() noexcept {
    auto& token = own().token;
    if (const auto known = token.load(std::memory_order_acquire)) return known;
    const std::uint64_t fresh = kernel_random() | 1;
    std::uint64_t expected = 0;
    return token.compare_exchange_strong(expected, fresh) ? fresh : expected;
}

Unique draw_unique() noexcept {
    const std::uint64_t token = process_token();
    const std::uint64_t drawn = own().drawn.fetch_add(1, std::memory_order_relaxed);
    // After four billion draws the counter begins again beside another random number.
    return {token + (drawn >> 32), static_cast<std::uint32_t>(drawn)};
}

BootId boot_id() noexcept {
    // No static of this function: a child that is forked while another thread is in its initializer would wait for that thread for ever.
    // Threads that come at once read the same, twice.
    static constinit std::array<std::atomic<std::uint64_t>, 2> known{};
    static constinit std::atomic<bool> is_known{false};
    using Words = std::array<std::uint64_t, 2>;
    if (!is_known.load(std::memory_order_acquire)) {
        const BootId read = read_boot_id();
        if (read == BootId{}) return read;
        const auto words = std::bit_cast<Words>(read);
        for (std::size_t i = 0; i < words.size(); ++i)
            known[i].store(words[i], std::memory_order_relaxed);
        is_known.store(true, std::memory_order_release);
    }
    return std::bit_cast<BootId>(
        Words{known[0].load(std::memory_order_relaxed), known[1].load(std::memory_order_relaxed)});
}

std::string to_text(const BootId& boot) {
    std::string text;
    for (const auto byte : boot) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

ProcessIdentity this_process() noexcept {
    const auto pid = static_cast<std::int64_t>(::getpid());
    return {boot_id(), this_pid_namespace(), view_of(pid).start, pid};
}

Running is_running(const ProcessIdentity& process) noexcept {
    if (process.pid <= 0) return Running::no;
    // What we, or it, could not find out (for want of a descriptor, say) is zero, and differs from nothing: doubt is on the side of the lease.
    const auto differ = [](const auto& one, const auto& other) {
        return one != other && one != std::decay_t<decltype(one)>{} &&
               other != std::decay_t<decltype(other)>{};
    };
    if (differ(process.boot, boot_id())) return Running::no;
    if (differ(process.pid_namespace, this_pid_namespace())) return Running::unknown;
    if (::kill(static_cast<pid_t>(process.pid), 0) != 0 && errno == ESRCH) return Running::no;
    const KernelView now = view_of(process.pid);
    // Ended, and its parent has yet to ask how; or only its first thread has ended, and others run.
    if ((now.state == 'Z' || now.state == 'X') && !has_other_threads(process.pid))
        return Running::no;
    // Where either start can't be told, a running pid is taken for the same process.
    return now.start == 0 || process.start == 0 || now.start == process.start ? Running::yes
                                                                              : Running::no;
}

std::string this_command() {
    Buffer buffer;
    std::string text(read_some("/proc/self/cmdline", buffer));
    while (!text.empty() && text.back() == '\0') text.pop_back();
    for (char& c : text) {
        if (c == '\0') c = ' ';
    }
    return text;
}

std::int64_t this_thread() noexcept {
#ifdef __linux__
    return static_cast<std::int64_t>(::syscall(SYS_gettid));
#else
    return static_cast<std::int64_t>(reinterpret_cast<std::uintptr_t>(::pthread_self()));
#endif
}

}  // namespace larder::os
