// SPDX-License-Identifier: MIT
#include "stress/system/process.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "os/process.hpp"

namespace larder::stress {

ProcessId this_process_id() noexcept { return ::getpid(); }

ProcessId parent_process_id() noexcept { return ::getppid(); }

std::uint64_t process_token() noexcept { return os::process_token(); }

void kill_this_process() noexcept {
    ::kill(::getpid(), SIGKILL);
    for (;;) ::pause();
}

void stop_this_process() noexcept { ::kill(::getpid(), SIGSTOP); }

void die_with_parent() noexcept { ::prctl(PR_SET_PDEATHSIG, SIGKILL); }

void ignore_broken_pipes() noexcept { ::signal(SIGPIPE, SIG_IGN); }

bool stderr_is_terminal() noexcept { return ::isatty(STDERR_FILENO) == 1; }

}  // namespace larder::stress
