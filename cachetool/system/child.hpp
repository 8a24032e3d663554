// SPDX-License-Identifier: MIT
// Runs a program as a child process, and stands in for it while it runs.
#pragma once

#include <string>
#include <system_error>
#include <vector>

namespace cachetool::system {

enum class ChildOutput {
    inherited,  ///< the child's standard output is ours
    to_stderr,  ///< what the child prints goes to stderr, because stdout is for our own data
};

/// The exit codes of shells for a program that could not be run.
inline constexpr int cannot_execute = 126;     ///< it exists, and can't be run
inline constexpr int command_not_found = 127;  ///< it does not exist

/// How a program ended, or why it could not be run.
struct ProgramEnd {
    /// The program's own code, or 128 + N if signal N ended it. 126 or 127 if it could not be run.
    /// A code of Windows has 32 bits, and may be negative here.
    int exit_code = 0;
    /// Why the program could not be run, or no error.
    std::error_code not_run{};
    /// The program is a batch file of Windows, which is why it was not run.
    bool is_batch_file = false;
    /// The signal that ended the program itself, or 0.
    int killed_by = 0;
    /// The last of SIGINT, SIGTERM, SIGHUP and SIGQUIT that this process received meanwhile, or 0.
    int ending_signal = 0;
};

/// Runs `program`, which is looked up in PATH, and waits until it has ended. Meanwhile SIGINT,
/// SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 are passed on to it, with two exceptions:
///   - a signal that the terminal has sent to both is not sent again;
///   - a signal that this process ignores stays ignored.
/// On Windows, a console tells Ctrl-C and its other events to both, and this process notes them as
/// signals. There the program belongs to a job: if this process ends before it, however that comes
/// about, the system ends the program with all that it has started.
/// The program runs in `directory`, or in that of this process if `directory` is empty.
/// Requires: one call at a time.
[[nodiscard]] ProgramEnd run_child(const std::vector<std::string>& program, ChildOutput output,
                                   const std::string& directory = {});

/// Returns "signal 2 (Interrupt)", or what happened on Windows, such as "Ctrl-C".
[[nodiscard]] std::string signal_for_people(int signal);

/// Becomes `program`. Returns only if that failed, and then says why. On Windows, where no process
/// can become another program, it runs the program as run_child does, and returns its end.
[[nodiscard]] ProgramEnd become(const std::vector<std::string>& program);

}  // namespace cachetool::system
