// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include <unistd.h>

#include <atomic>
#include <bit>
#include <cerrno>
#include <csignal>
#include <memory>

#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

/// What the system tells of this process, and what does not change as long as it runs. (It may go
/// to another time namespace. Then its start and the offset still go together.)
struct KnownSelf {
    std::uint64_t token = 0;  ///< see process_token
    std::uint64_t pid_namespace = 0;
    std::uint64_t start = 0;
    std::int64_t clock_offset = 0;
    std::string command;
    const KnownSelf* before = nullptr;  ///< what a forked child has inherited
};

/// Returns what the system tells of this process. Reads it once, because files in /proc cost more
/// than all else that an open of a cache does. Returns null if the system does not tell all of it,
/// or if memory has run out; then the next call reads it again. Nothing is ever deleted, because
/// another thread may be reading it, and in a forked child one of the parent may have been.
const KnownSelf* known_self() noexcept {
    // Initialized by the compiler and not by the first call: see os/before_main.hpp.
    static constinit std::atomic<const KnownSelf*> known{nullptr};
    const KnownSelf* seen = known.load(std::memory_order_acquire);
    if (seen != nullptr && seen->token == process_token()) return seen;
    try {
        const auto offset = platform::clock_offset();
        auto fresh = std::make_unique<KnownSelf>();
        fresh->token = process_token();
        fresh->pid_namespace = platform::pid_namespace();
        fresh->start = platform::view_of_this_process().start;
        fresh->clock_offset = offset.value_or(0);
        fresh->command = platform::command_line();
        fresh->before = seen;
        if (!offset || fresh->start == 0 || fresh->pid_namespace == 0) return nullptr;
        if (known.compare_exchange_strong(seen, fresh.get(), std::memory_order_acq_rel))
            return fresh.release();
        return seen;  // another thread was quicker
    } catch (...) {
        return nullptr;
    }
}

/// Returns the number of the pid namespace of this process; 0 if it is unknown.
std::uint64_t this_pid_namespace() noexcept {
    if (point("os.pid-namespace") != 0) return 0;
    const KnownSelf* const self = known_self();
    return self != nullptr ? self->pid_namespace : platform::pid_namespace();
}

/// The id of this boot, once it was read. All threads of the process share it, and no lock guards
/// it: a fork could happen while another thread holds a lock. If two threads store it at once, both
/// store the same.
class KnownBoot {
public:
    constexpr KnownBoot() = default;

    /// Returns what was stored; nullopt if nothing was.
    [[nodiscard]] std::optional<platform::BootIdRead> load() const noexcept {
        // This sees all that was stored before is_known_ was.
        if (!is_known_.load(std::memory_order_acquire)) return std::nullopt;
        const Words words{words_[0].load(std::memory_order_relaxed),
                          words_[1].load(std::memory_order_relaxed)};
        return platform::BootIdRead{.id = std::bit_cast<BootId>(words),
                                    .is_real = is_real_.load(std::memory_order_relaxed)};
    }

    void store(const platform::BootIdRead& boot) noexcept {
        const auto words = std::bit_cast<Words>(boot.id);
        for (std::size_t i = 0; i < words.size(); ++i)
            words_[i].store(words[i], std::memory_order_relaxed);
        is_real_.store(boot.is_real, std::memory_order_relaxed);
        is_known_.store(true, std::memory_order_release);
    }

private:
    using Words = std::array<std::uint64_t, 2>;
    std::array<std::atomic<std::uint64_t>, 2> words_{};  // the id
    std::atomic<bool> is_real_{false};
    std::atomic<bool> is_known_{false};  // stored last and loaded first
};

/// Returns the boot id that the system tells; zeros if it can't be read. Reads it once, because a
/// file is opened for it. A read that failed is tried again by the next call.
platform::BootIdRead told_boot() noexcept {
    // Initialized by the compiler and not by the first call: see os/before_main.hpp.
    static constinit KnownBoot known;
    if (const auto boot = known.load()) return *boot;
    if (point("os.boot-id") != 0) return {};
    const platform::BootIdRead boot = platform::read_boot_id();
    if (boot.id != BootId{}) known.store(boot);
    return boot;
}

/// Returns the id of this boot, as the system tells it or as a test pretends.
platform::BootIdRead this_boot() noexcept {
    platform::BootIdRead boot = told_boot();
    // A test looks at what it has made as if the machine had been started again since.
    boot.id.front() ^= static_cast<BootId::value_type>(point("os.other-boot"));
    return boot;
}

/// Returns whether two values are both known, and differ. An unknown value is zero.
template <class Value>
bool differ(const Value& one, const Value& other) noexcept {
    return one != other && one != Value{} && other != Value{};
}

/// Returns whether the system has told a value. One that it has not told is zero.
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
    // Accept from -2 to +2 units. A negative difference is a large number, which the sum wraps
    // around to a small one.
    return difference + 2 * platform::start_unit <= 4 * platform::start_unit;
}

/// Returns whether a process runs whose pid is one of the pid namespace of this process. Looks at
/// the process that has this pid now: returns `no` if there is none, if it has ended, or if it
/// certainly started at another time. Returns `yes` if the starts can't be compared, because a
/// lease of a process must hold as long as the process may run.
Running is_running_here(const ProcessIdentity& process) noexcept {
    if (retry([&] { return ::kill(static_cast<pid_t>(process.pid), 0); }) != 0 && errno == ESRCH)
        return Running::no;
    const platform::KernelView now = platform::view_of(process.pid);
    if (now.ended) return Running::no;
    const auto offset = platform::clock_offset();
    if (!offset) return Running::yes;
    const ProcessStart sought{.start = process.start, .clock_offset = process.clock_offset};
    const ProcessStart current{.start = now.start, .clock_offset = *offset};
    if (!may_be_the_same(sought, current)) return Running::no;  // a later process with this pid
    return Running::yes;
}

/// Looks for a process of another pid namespace among all processes of the machine. Returns
/// `unknown` if this process can't see all of them, and sees none that may be the one.
Running is_running_in_any_namespace(const ProcessIdentity& process) noexcept {
    if (point("os.all-processes") != 0) return Running::unknown;
    const auto offset = platform::clock_offset();
    const ProcessStart sought{.start = process.start, .clock_offset = process.clock_offset};
    const auto may_be_it = [&](const platform::InnerProcess& inner) {
        if (inner.pid != process.pid || inner.view.ended) return false;
        if (differ(inner.pid_namespace, process.pid_namespace)) return false;
        if (!offset) return true;  // the two starts can't be compared
        return may_be_the_same(sought, {.start = inner.view.start, .clock_offset = *offset});
    };
    const auto is_there = platform::any_inner_process(may_be_it);
    if (!is_there) return Running::unknown;
    return *is_there ? Running::yes : Running::no;
}

/// Looks for a process of another pid namespace as far as the caller wants that.
Running is_running_elsewhere(const ProcessIdentity& process, Search search) noexcept {
    return search == Search::everywhere ? is_running_in_any_namespace(process) : Running::unknown;
}

/// Looks for a process if its pid may be one of this process's namespace or of another, because one
/// of the two namespaces is not known.
Running is_running_somewhere(const ProcessIdentity& process, Search search) noexcept {
    // If a process has this pid here, and started when that one did, it is that one.
    const Running here = is_running_here(process);
    const bool starts_are_known =
        is_known(process.start) && is_known(platform::view_of(process.pid).start);
    if (here == Running::yes && starts_are_known) return Running::yes;
    // A process that runs here may be another one with the same pid, if the starts are not known.
    // And if our own namespace is not known, no other namespace can be told from it.
    if (here != Running::no || !is_known(this_pid_namespace())) return Running::unknown;
    return is_running_elsewhere(process, search);
}

}  // namespace

BootId boot_id() noexcept { return this_boot().id; }

bool boot_id_is_real() noexcept { return this_boot().is_real; }

ProcessIdentity this_process() noexcept {
    const platform::BootIdRead boot = this_boot();
    ProcessIdentity identity{
        .boot = boot.id,
        .boot_is_real = boot.is_real,
        .pid_namespace = this_pid_namespace(),
        .pid = process_id(),
    };
    if (const KnownSelf* const self = known_self()) {
        identity.start = self->start;
        identity.clock_offset = self->clock_offset;
    } else if (const auto offset = platform::clock_offset()) {
        // A start that is shifted by an unknown offset is worse than none.
        identity.start = platform::view_of_this_process().start;
        identity.clock_offset = *offset;
    }
    return identity;
}

bool is_here(const ProcessIdentity& process) noexcept {
    return !differ(process.pid_namespace, this_pid_namespace());
}

Running is_running(const ProcessIdentity& process, Search search) noexcept {
    if (process.pid <= 0) return Running::no;
    // A process of an earlier boot has ended. But a boot id that a container made up differs from
    // the machine's own, and proves nothing.
    const platform::BootIdRead boot = this_boot();
    if (differ(process.boot, boot.id) && process.boot_is_real && boot.is_real) return Running::no;
    const std::uint64_t pid_namespace = this_pid_namespace();
    if (!is_known(process.pid_namespace) || !is_known(pid_namespace))
        return is_running_somewhere(process, search);
    // At any time only one namespace has this number. If the process is one of an earlier namespace
    // of the number, that namespace has ended, and the process with it.
    if (process.pid_namespace == pid_namespace) return is_running_here(process);
    return is_running_elsewhere(process, search);
}

std::int64_t process_id() noexcept { return static_cast<std::int64_t>(::getpid()); }

std::int64_t this_thread() noexcept { return platform::thread_number(); }

std::optional<std::string> environment_variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr) return std::nullopt;
    return value;
}

std::string this_command() {
    const KnownSelf* const self = known_self();
    return self != nullptr ? self->command : platform::command_line();
}

}  // namespace larder::os
