// SPDX-License-Identifier: MIT
// Runs a program as a child process, and stands in for it while it runs.
#pragma once

#include <string>
#include <vector>

namespace cachetool {

enum class ChildOutput {
    inherited,  ///< stdout stays stdout
    to_stderr,  ///< stdout is for our own data: what the program prints there goes to stderr
};

struct Ending {
    int exit_code =
        0;  ///< the program's own, or 128 + the signal that ended it; 126 or 127 where it could not be run
    int sys_errno = 0;  ///< why it could not be run, or 0
    int told_to_end =
        0;  ///< the last of SIGINT, SIGTERM, SIGHUP and SIGQUIT that this process got meanwhile, or 0
};

/// Runs `program` (looked up in PATH) and waits until it has ended. Meanwhile SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and
/// SIGUSR2 are handed on to it, except those that the terminal has sent it already; those that are ignored stay so.
/// Requires: called from one thread at a time.
[[nodiscard]] Ending run_child(const std::vector<std::string>& program, ChildOutput output);

/// Becomes `program`. Returns only when that failed: with why.
[[nodiscard]] Ending become(const std::vector<std::string>& program);

}  // namespace cachetool
