// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <csignal>

#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

/// Returns the number of the pid namespace of this process; 0 if it is unknown.
std::uint64_t this_pid_namespace() noexcept {
    return point("os.pid-namespace") != 0 ? 0 : platform::pid_namespace();
}

/// Returns the id of this boot. Reads it once, because a file is opened for it. A read that failed
/// is tried again by the next call.
platform::BootIdRead this_boot() noexcept {
    // The value is not the initializer of a static variable: see os/before_main.hpp. If two threads
    // come here at once, both read the same id.
    static constinit std::array<std::atomic<std::uint64_t>, 2> known{};
    static constinit std::atomic<bool> is_known{false}, is_real{false};
    using Words = std::array<std::uint64_t, 2>;
    if (!is_known.load(std::memory_order_acquire)) {
        const auto read =
            point("os.boot-id") != 0 ? platform::BootIdRead{} : platform::read_boot_id();
        if (read.id == BootId{}) return {};
        const auto words = std::bit_cast<Words>(read.id);
        for (std::size_t i = 0; i < words.size(); ++i)
            known[i].store(words[i], std::memory_order_relaxed);
        is_real.store(read.is_real, std::memory_order_relaxed);
        is_known.store(true, std::memory_order_release);
    }
    return {std::bit_cast<BootId>(Words{known[0].load(std::memory_order_relaxed),
                                        known[1].load(std::memory_order_relaxed)}),
            is_real.load(std::memory_order_relaxed)};
}

/// Returns whether two values are known, and differ. An unknown value is zero.
template <class Value>
bool differ(const Value& one, const Value& other) noexcept {
    return one != other && one != Value{} && other != Value{};
}

bool is_known(std::uint64_t value) noexcept { return value != 0; }

/// When a process started, by the clock of one time namespace.
struct ProcessStart {
    std::uint64_t start = 0;
    std::int64_t clock_offset = 0;
};

/// Returns false only if the two are certainly starts of two processes.
bool may_be_the_same(const ProcessStart& one, const ProcessStart& other) noexcept {
    if (!is_known(one.start) || !is_known(other.start)) return true;
    if (one.clock_offset == other.clock_offset) return one.start == other.start;
    // Each start was rounded down after its offset was added, so the difference may be one unit
    // more than it is without rounding. The numbers wrap around: any process may have written them.
    const auto without_offset = [](const ProcessStart& at) {
        return at.start * platform::start_unit - static_cast<std::uint64_t>(at.clock_offset);
    };
    const std::uint64_t difference = without_offset(one) - without_offset(other);
    return difference + 2 * platform::start_unit <= 4 * platform::start_unit;
}

/// Looks at the process that has this pid now, in the pid namespace of this process. Returns `no`
/// if there is none, if it has ended, or if it certainly started at another time. Returns `yes` if
/// the starts can't be compared, because doubt is on the side of the lease.
Running look_at(const ProcessIdentity& process) noexcept {
    if (retry([&] { return ::kill(static_cast<pid_t>(process.pid), 0); }) != 0 && errno == ESRCH)
        return Running::no;
    const platform::KernelView now = platform::view_of(process.pid);
    if (now.ended) return Running::no;
    const auto offset = platform::clock_offset();
    if (!offset) return Running::yes;
    const ProcessStart sought{.start = process.start, .clock_offset = process.clock_offset};
    const ProcessStart seen{.start = now.start, .clock_offset = *offset};
    if (!may_be_the_same(sought, seen)) return Running::no;  // a later process with this pid
    return Running::yes;
}

/// Looks for a process of another pid namespace among all processes of the machine. Returns
/// `unknown` unless this process sees all of them.
Running look_everywhere(const ProcessIdentity& process) noexcept {
    if (point("os.all-processes") != 0) return Running::unknown;
    const auto offset = platform::clock_offset();
    const ProcessStart sought{.start = process.start, .clock_offset = process.clock_offset};
    const auto found = platform::any_inner_process([&](const platform::InnerProcess& inner) {
        if (inner.pid != process.pid || inner.view.ended) return false;
        if (differ(inner.pid_namespace, process.pid_namespace)) return false;
        if (!offset) return true;  // the two starts can't be compared
        return may_be_the_same(sought, {.start = inner.view.start, .clock_offset = *offset});
    });
    if (!found) return Running::unknown;
    return *found ? Running::yes : Running::no;
}

}  // namespace

BootId boot_id() noexcept { return this_boot().id; }

bool boot_id_is_real() noexcept { return this_boot().is_real; }

std::string to_text(const BootId& boot) {
    std::string text;
    for (const auto byte : boot) {
        text += "0123456789abcdef"[byte >> 4];
        text += "0123456789abcdef"[byte & 15];
    }
    return text;
}

ProcessIdentity this_process() noexcept {
    const platform::BootIdRead boot = this_boot();
    const auto offset = platform::clock_offset();
    // A start that is shifted by an unknown offset is worse than none.
    const std::uint64_t start = offset ? platform::view_of_this_process().start : 0;
    return {
        .boot = boot.id,
        .boot_is_real = boot.is_real,
        .pid_namespace = this_pid_namespace(),
        .start = start,
        .clock_offset = offset.value_or(0),
        .pid = process_id(),
    };
}

bool is_here(const ProcessIdentity& process) noexcept {
    return !differ(process.pid_namespace, this_pid_namespace());
}

Running is_running(const ProcessIdentity& process, Search search) noexcept {
    if (process.pid <= 0) return Running::no;
    // A boot id that a container made up differs from the machine's own, and proves nothing.
    const platform::BootIdRead boot = this_boot();
    if (differ(process.boot, boot.id) && process.boot_is_real && boot.is_real) return Running::no;
    const std::uint64_t pid_namespace = this_pid_namespace();
    if (!is_known(process.pid_namespace) || !is_known(pid_namespace)) {
        // The pid may be one of another namespace. If a process has this pid here, and started when
        // that one did, it is that one.
        const Running here = look_at(process);
        const bool starts_are_known =
            is_known(process.start) && is_known(platform::view_of(process.pid).start);
        if (here == Running::yes && starts_are_known) return Running::yes;
        if (here != Running::no || !is_known(pid_namespace)) return Running::unknown;
        return search == Search::everywhere ? look_everywhere(process) : Running::unknown;
    }
    // At any time only one namespace has this number. If the process is one of an earlier namespace
    // of the number, that namespace has ended, and the process with it.
    if (process.pid_namespace == pid_namespace) return look_at(process);
    return search == Search::everywhere ? look_everywhere(process) : Running::unknown;
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
