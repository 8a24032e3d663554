// SPDX-License-Identifier: MIT
#include "os/process.hpp"

#include "os/points.hpp"
#include "os/windows/nt.hpp"

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

// Windows draws no number at each boot that a program can read. The time of the boot will not do:
// it is computed from the clock, and moves when that is set. Without it, the pid and the start of a
// process tell whether it still runs.
BootId boot_id() noexcept {
    BootId boot{};
    // A test looks at what it has made as if the machine had been started again since.
    boot.front() ^= static_cast<BootId::value_type>(point("os.other-boot"));
    return boot;
}

bool boot_id_is_real() noexcept { return false; }

ProcessIdentity this_process() noexcept {
    return {
        .boot = boot_id(),
        .boot_is_real = false,
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
    // This is the answer for a pid that no process has. By any other one, such as a denial, a
    // process has it.
    if (handle == nullptr)
        return ::GetLastError() == ERROR_INVALID_PARAMETER ? Running::no : Running::yes;
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
