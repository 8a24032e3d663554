// SPDX-License-Identifier: MIT
// A program that this process has started. For the sources of this folder alone.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <system_error>
#include <vector>
#include <windows.h>

#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system::windows {

/// The standard input, output and error that a program gets. Null is none.
using StandardHandles = std::array<HANDLE, 3>;

/// A program that ends when this process ends, however that comes about, with all programs that it
/// has started. Windows itself ends them: they are a job whose last handle this process has.
class StartedProcess {
public:
    /// Starts the program in the file `file`. It inherits `streams` and no other handle.
    /// `command_line` has its name and its arguments. It runs in `directory`, or in that of this
    /// process if `directory` is empty. If it could not be started, error() says why.
    StartedProcess(const std::wstring& file, std::wstring command_line,
                   const StandardHandles& streams, const std::wstring& directory);

    [[nodiscard]] const std::error_code& error() const noexcept { return error_; }
    [[nodiscard]] std::int64_t pid() const noexcept { return pid_; }

    /// Waits for the end of the program, and returns its exit code.
    [[nodiscard]] std::uint32_t wait() const;
    /// Ends all processes of the job. Returns when the program itself has ended.
    void kill() const;
    /// Lets the programs go on that this one has started and left behind.
    void release_others() const;

private:
    void limit_job(DWORD flags) const;

    ScopedHandle job_;
    ScopedHandle process_;
    std::int64_t pid_ = -1;
    std::error_code error_;
};

/// Returns the path of the file of a program: the one that `name` has in a directory of PATH or, if
/// `name` is a path itself, that path. The name may come without ".exe" or ".com". Never looks in
/// the current directory, unlike the system. Returns an empty text if there is none.
[[nodiscard]] std::wstring program_file(const std::string& name);

}  // namespace cachetool::system::windows
