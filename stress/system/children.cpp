// SPDX-License-Identifier: MIT
#include "stress/system/children.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <thread>

namespace larder::stress {

namespace {

sigset_t awaited_signals() {
    sigset_t set;
    ::sigemptyset(&set);
    for (const int signal : {SIGCHLD, SIGINT, SIGTERM}) ::sigaddset(&set, signal);
    return set;
}

ProcessEnd end_of(int status) noexcept {
    if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
    return {WEXITSTATUS(status), 0};
}

}  // namespace

void become_supervisor() noexcept {
    ::prctl(PR_SET_CHILD_SUBREAPER, 1);
    const sigset_t signals = awaited_signals();
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
}

std::optional<ProcessId> fork_group_leader(const std::function<int()>& life) {
    std::fflush(nullptr);
    const pid_t pid = ::fork();
    if (pid < 0) return std::nullopt;
    if (pid == 0) {
        ::setpgid(0, 0);
        // Ignored first and let through then: a signal that waits already is dropped.
        for (const int signal : {SIGINT, SIGTERM}) ::signal(signal, SIG_IGN);
        const sigset_t signals = awaited_signals();
        ::sigprocmask(SIG_UNBLOCK, &signals, nullptr);
        ::_exit(life());
    }
    // Parent and child both do this: the group exists when the first of them has done it.
    ::setpgid(pid, pid);
    return pid;
}

void kill_process(ProcessId process) noexcept { ::kill(process, SIGKILL); }
void stop_group(ProcessId leader) noexcept { ::kill(-leader, SIGSTOP); }
void continue_group(ProcessId leader) noexcept { ::kill(-leader, SIGCONT); }

bool wait_for_signal(std::chrono::nanoseconds longest) noexcept {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(longest);
    const timespec time{static_cast<time_t>(seconds.count()),
                        static_cast<long>((longest - seconds).count())};
    const sigset_t signals = awaited_signals();
    const int signal = ::sigtimedwait(&signals, nullptr, &time);
    return signal == SIGINT || signal == SIGTERM;
}

std::optional<ChildChange> next_change() noexcept {
    siginfo_t info{};
    if (::waitid(P_ALL, 0, &info, WEXITED | WSTOPPED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0)
        return std::nullopt;
    return ChildChange{info.si_pid, info.si_code == CLD_STOPPED};
}

void take_stop(ProcessId child) noexcept {
    siginfo_t info{};
    (void)::waitid(P_PID, static_cast<id_t>(child), &info, WSTOPPED | WNOHANG);
}

bool ProcessEnd::was_killed() const noexcept { return signal == SIGKILL; }

ProcessEnd take_end(ProcessId child) noexcept {
    int status = 0;
    while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
    return end_of(status);
}

ProcessEnd take_end_of_group(ProcessId leader) noexcept {
    ::kill(-leader, SIGKILL);
    const ProcessEnd end = take_end(leader);
    // The rest of the group become children of this process as their parents end.
    while (::kill(-leader, SIGKILL) == 0) {
        int ignored = 0;
        if (::waitpid(-leader, &ignored, WNOHANG) <= 0)
            std::this_thread::sleep_for(std::chrono::microseconds(100));
    }
    return end;
}

bool has_children() noexcept {
    siginfo_t info{};
    return ::waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 || errno != ECHILD;
}

}  // namespace larder::stress
