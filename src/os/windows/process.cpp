// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include <cstring>
#include <memory>
#include <new>

#include "os/points.hpp"
#include "os/windows/nt.hpp"
#include "os/windows/process_list.hpp"

namespace larder::os {

namespace {

/// Returns when a process was started, in units of 100 ns; 0 if the system does not tell.
std::uint64_t start_of(HANDLE process) noexcept {
    FILETIME start{}, end{}, kernel{}, user{};
    if (!::GetProcessTimes(process, &start, &end, &kernel, &user)) return 0;
    return std::uint64_t{start.dwHighDateTime} << 32U | start.dwLowDateTime;
}

/// Windows has one set of pids. A container (a "silo") sees a part of it, and cannot tell that.
constexpr std::uint64_t only_pid_namespace = 1;

}  // namespace

namespace {

/// SYSTEM_PROCESS_INFORMATION of the kernel's headers, as far as it is needed here.
struct ListedProcess {
    ULONG to_next;  ///< bytes from this one to the next one; 0 in the last one
    ULONG threads;
    LARGE_INTEGER unused[3];
    LARGE_INTEGER start;
    LARGE_INTEGER times[2];
    UNICODE_STRING program;
    LONG priority;
    HANDLE pid;
    HANDLE parent;
};

/// Calls `visit(process)` for each process of the machine until it returns true. Needs no rights to
/// them. Returns false if the system gives no list.
template <class Visit>
bool visit_processes(Visit visit) noexcept {
    constexpr NTSTATUS too_short = windows::status_of(0xc0000004);
    constexpr auto processes = static_cast<SYSTEM_INFORMATION_CLASS>(5);
    constexpr ULONG most = 1U << 28U;  // arbitrary: some hundred thousand processes
    for (ULONG size = 1U << 18U; size <= most; size *= 2) {
        const std::unique_ptr<std::byte[]> list(new (std::nothrow) std::byte[size]);
        if (!list) return false;
        ULONG needed = 0;
        const NTSTATUS status = ::NtQuerySystemInformation(processes, list.get(), size, &needed);
        if (status == too_short) continue;
        if (status < 0) return false;
        for (const std::byte* at = list.get();;) {
            ListedProcess process;
            std::memcpy(&process, at, sizeof process);
            if (visit(process)) return true;
            if (process.to_next == 0) return true;
            at += process.to_next;
        }
    }
    return false;
}

/// Makes a boot id of the start of the machine's first program. Zeros stay zeros.
BootId boot_id_of(std::uint64_t start) noexcept {
    BootId boot{};
    if (start == 0) return boot;
    // The tag of an entry is the first four bytes, and two starts differ little. The constants are
    // those of a usual generator of random numbers (splitmix64).
    for (std::size_t half = 0; half < 2; ++half) {
        std::uint64_t mixed = start + (half + 1) * 0x9e3779b97f4a7c15U;
        mixed = (mixed ^ mixed >> 30U) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ mixed >> 27U) * 0x94d049bb133111ebU;
        mixed ^= mixed >> 31U;
        std::memcpy(boot.data() + 8 * half, &mixed, sizeof mixed);
    }
    return boot;
}

/// Returns the id of this boot, which stays the same as long as the machine runs.
const BootId& this_boot() noexcept {
    static const BootId boot = boot_id_of(windows::start_of_first_program());
    return boot;
}

}  // namespace

std::optional<std::uint64_t> windows::start_of_process(std::uint64_t pid) noexcept {
    std::uint64_t found = 0;
    const bool is_told = visit_processes([&](const ListedProcess& process) {
        if (reinterpret_cast<std::uintptr_t>(process.pid) != pid) return false;
        found = static_cast<std::uint64_t>(process.start.QuadPart);
        return true;
    });
    if (!is_told) return std::nullopt;
    return found;
}

std::uint64_t windows::start_of_first_program() noexcept {
    constexpr std::wstring_view program = L"smss.exe";
    constexpr std::uintptr_t system = 4;  // the pid of the system itself
    std::uint64_t first = 0;
    (void)visit_processes([&](const ListedProcess& process) {
        const auto start = static_cast<std::uint64_t>(process.start.QuadPart);
        const std::wstring_view name(process.program.Buffer,
                                     process.program.Length / sizeof(wchar_t));
        // Each session begins with a copy of that program, whose parent is the first one.
        if (name == program && reinterpret_cast<std::uintptr_t>(process.parent) == system &&
            start != 0 && (first == 0 || start < first))
            first = start;
        return false;
    });
    return first;
}

// Windows draws no number at each boot that a program can read. The time of the boot will not do:
// it is computed from the clock, and moves when that is set. But the system notes when each process
// was started, and never changes that, so the start of the first program tells the boots apart. A
// machine that hibernates goes on with the same boot, as does one that was shut down with "fast
// startup", which hibernates without the programs of users.
BootId boot_id() noexcept {
    BootId boot = this_boot();
    // A test looks at what it has made as if the machine had been started again since.
    boot.front() ^= static_cast<BootId::value_type>(point("os.other-boot"));
    return boot;
}

bool boot_id_is_real() noexcept { return this_boot() != BootId{}; }

ProcessIdentity this_process() noexcept {
    return {
        .boot = boot_id(),
        .boot_is_real = boot_id_is_real(),
        .pid_namespace = only_pid_namespace,
        .start = start_of(::GetCurrentProcess()),
        .clock_offset = 0,
        .pid = process_id(),
    };
}

bool is_here(const ProcessIdentity&) noexcept { return true; }

Running is_running(const ProcessIdentity& process, Search) noexcept {
    if (process.pid <= 0 || process.pid > MAXDWORD) return Running::no;
    const HANDLE handle = ::OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE,
                                        static_cast<DWORD>(process.pid));
    if (handle == nullptr) {
        // This is the answer for a pid that no process has. By any other one, such as a denial, a
        // process has it, which may be a later one: a service that came after a new boot.
        if (::GetLastError() == ERROR_INVALID_PARAMETER) return Running::no;
        const auto start = windows::start_of_process(static_cast<std::uint64_t>(process.pid));
        const bool is_later = start && *start != 0 && process.start != 0 && *start != process.start;
        return is_later ? Running::no : Running::yes;
    }
    const FileHandle closed_at_end = windows::own(handle);
    // A process that has ended keeps its pid as long as a program has a handle of it. The handle is
    // signalled then.
    if (::WaitForSingleObject(handle, 0) == WAIT_OBJECT_0) return Running::no;
    const std::uint64_t start = start_of(handle);
    if (start == 0 || process.start == 0 || start == process.start) return Running::yes;
    return Running::no;  // a later process with this pid
}

std::int64_t process_id() noexcept { return static_cast<std::int64_t>(::GetCurrentProcessId()); }

std::int64_t this_thread() noexcept { return static_cast<std::int64_t>(::GetCurrentThreadId()); }

std::optional<std::string> environment_variable(const char* name) {
    // The names that larder asks for are ASCII.
    const std::wstring wide(name, name + std::string_view(name).size());
    std::wstring value(256, L'\0');
    for (;;) {
        ::SetLastError(ERROR_SUCCESS);
        const DWORD size = ::GetEnvironmentVariableW(wide.c_str(), value.data(),
                                                     static_cast<DWORD>(value.size() + 1));
        if (size == 0 && ::GetLastError() != ERROR_SUCCESS) return std::nullopt;
        if (size <= value.size()) return windows::to_text({value.data(), size});
        value.resize(size);
    }
}

std::string this_command() { return windows::to_text(::GetCommandLineW()); }

}  // namespace larder::os
