// SPDX-License-Identifier: MIT
#include "cachetool/system/process.hpp"

#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {

std::int64_t own_pid() { return static_cast<std::int64_t>(::GetCurrentProcessId()); }

bool has_process(std::int64_t pid) {
    const windows::ScopedHandle process(::OpenProcess(SYNCHRONIZE, FALSE, static_cast<DWORD>(pid)));
    // This is the error for a number that no process has. By any other one, such as a denial, a
    // process has it.
    if (!process) return ::GetLastError() != ERROR_INVALID_PARAMETER;
    // A process that has ended keeps its number as long as a program has a handle of it.
    return ::WaitForSingleObject(process.get(), 0) != WAIT_OBJECT_0;
}

}  // namespace cachetool::system
