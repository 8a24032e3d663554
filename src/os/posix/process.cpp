// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <csignal>
#include <type_traits>

#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

std::uint64_t this_pid_namespace() noexcept {
    return point("os.pid-namespace") != 0 ? 0 : platform::pid_namespace();
}

}  // namespace

BootId boot_id() noexcept {
    // The value is not the initializer of a static variable: see os/before_main.hpp. If two threads
    // come here at once, both read the same id.
    static constinit std::array<std::atomic<std::uint64_t>, 2> known{};
    static constinit std::atomic<bool> is_known{false};
    using Words = std::array<std::uint64_t, 2>;
    if (!is_known.load(std::memory_order_acquire)) {
        const BootId read = point("os.boot-id") != 0 ? BootId{} : platform::read_boot_id();
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
    const std::int64_t pid = process_id();
    return {boot_id(), this_pid_namespace(), platform::view_of(pid).start, pid};
}

Running is_running(const ProcessIdentity& process) noexcept {
    if (process.pid <= 0) return Running::no;
    // What we, or the other process, could not find out (because no descriptor was left, say) is
    // zero, and differs from nothing: doubt is on the side of the lease.
    const auto differ = [](const auto& one, const auto& other) {
        return one != other && one != std::decay_t<decltype(one)>{} &&
               other != std::decay_t<decltype(other)>{};
    };
    if (differ(process.boot, boot_id())) return Running::no;
    if (differ(process.pid_namespace, this_pid_namespace())) return Running::unknown;
    if (retry([&] { return ::kill(static_cast<pid_t>(process.pid), 0); }) != 0 && errno == ESRCH)
        return Running::no;
    const platform::KernelView now = platform::view_of(process.pid);
    if (now.ended) return Running::no;
    // If one of the two starts is unknown, a process that has this pid now counts as the same one.
    return now.start == 0 || process.start == 0 || now.start == process.start ? Running::yes
                                                                              : Running::no;
}

std::int64_t process_id() noexcept { return static_cast<std::int64_t>(::getpid()); }

std::int64_t this_thread() noexcept { return platform::thread_number(); }

std::optional<std::string> environment_variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
}

std::string this_command() { return platform::command_line(); }

}  // namespace larder::os
