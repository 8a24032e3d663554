// SPDX-License-Identifier: MIT
#include "cachetool/system/child.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <spawn.h>
#include <sstream>

#include "cachetool/cli/failure.hpp"

extern char** environ;

namespace cachetool {
namespace {

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array handed_on{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// What the signal handler knows. The child's pid is here only while it can't have been given to another process.
std::atomic<pid_t> child_pid{0};
std::atomic<int> told_to_end{0};
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void hand_on(int signal, siginfo_t* info, void*) {
    const int saved = errno;
    const pid_t child = child_pid;
    // What the kernel sends by itself (si_code above 0) comes from the terminal, and goes to every process of the foreground
    // group: a child in our group has it already, and many programs take a second Ctrl-C for "at once, without cleaning up".
    const bool has_it = info->si_code > 0 && child > 0 && ::getpgid(child) == ::getpgrp();
    if (child > 0 && !has_it) ::kill(child, signal);
    for (const int ending : ending_signals) {
        if (signal == ending) told_to_end = signal;
    }
    errno = saved;
}

sigset_t handed_on_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : handed_on) sigaddset(&set, signal);
    return set;
}

/// While it lives the signals are handed on, when they are not blocked: it begins and ends with all of them blocked.
class HandingOn {
public:
    HandingOn() {
        const sigset_t all = handed_on_set();
        ::pthread_sigmask(SIG_BLOCK, &all, &mask_before_);
        told_to_end = 0;
        struct sigaction action {};
        action.sa_sigaction = hand_on;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigfillset(&action.sa_mask);
        for (std::size_t i = 0; i < handed_on.size(); ++i) {
            ::sigaction(handed_on[i], nullptr, &before_[i]);
            // `nohup`, or a shell's background job: the child inherits that it is ignored, and so do we.
            if (before_[i].sa_handler != SIG_IGN) ::sigaction(handed_on[i], &action, nullptr);
        }
        // Whoever started us may ignore SIGCHLD, and then nobody can learn how a child ended.
        struct sigaction by_default {};
        by_default.sa_handler = SIG_DFL;
        ::sigaction(SIGCHLD, &by_default, &child_before_);
    }
    HandingOn(const HandingOn&) = delete;
    HandingOn& operator=(const HandingOn&) = delete;
    ~HandingOn() {
        for (std::size_t i = 0; i < handed_on.size(); ++i)
            ::sigaction(handed_on[i], &before_[i], nullptr);
        ::sigaction(SIGCHLD, &child_before_, nullptr);
        ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    }

    [[nodiscard]] const sigset_t& mask_before() const { return mask_before_; }

private:
    sigset_t mask_before_{};
    std::array<struct sigaction, handed_on.size()> before_{};
    struct sigaction child_before_ {};
};

std::vector<char*> pointers(const std::vector<std::string>& program) {
    std::vector<char*> argv;
    for (const auto& word : program)
        argv.push_back(const_cast<char*>(word.c_str()));  // exec changes nothing
    argv.push_back(nullptr);
    return argv;
}

/// execvp says "permission denied" for a command that is nowhere, where a directory of PATH may not be searched.
int as_shells_say(const std::string& command, int sys_errno) {
    if (sys_errno != EACCES || command.find('/') != std::string::npos) return sys_errno;
    const char* const path = std::getenv("PATH");
    std::istringstream directories(path == nullptr ? "" : path);
    for (std::string directory; std::getline(directories, directory, ':');) {
        if (::access((directory + "/" + command).c_str(), F_OK) == 0) return sys_errno;
    }
    return ENOENT;
}

Ending not_run(int sys_errno) {
    return {.exit_code = sys_errno == ENOENT ? command_not_found : cannot_execute,
            .sys_errno = sys_errno};
}

/// posix_spawn, because it tells whether the program could be run, and because no code of ours runs between fork and exec.
int spawn(pid_t& pid, const std::vector<std::string>& program, ChildOutput output,
          const sigset_t& mask) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    if (output == ChildOutput::to_stderr)
        ::posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    ::posix_spawnattr_setsigmask(&attributes, &mask);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int error = ::posix_spawnp(&pid, program.front().c_str(), &files, &attributes,
                                     pointers(program).data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    return error;
}

}  // namespace

Ending run_child(const std::vector<std::string>& program, ChildOutput output) {
    const HandingOn handing_on;
    pid_t pid = 0;
    int error = spawn(pid, program, output, handing_on.mask_before());
    if (error == ENOEXEC) {
        // A script without a "#!" line. execvp gives it to the shell; posix_spawnp leaves that to us.
        std::vector<std::string> script{"/bin/sh"};
        script.insert(script.end(), program.begin(), program.end());
        error = spawn(pid, script, output, handing_on.mask_before());
    }
    if (error != 0) return not_run(as_shells_say(program.front(), error));

    child_pid = pid;
    ::pthread_sigmask(SIG_SETMASK, &handing_on.mask_before(), nullptr);
    // WNOWAIT leaves the child a zombie: its pid stays its own until no signal can be handed on to it any more.
    siginfo_t ended{};
    while (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) == -1 &&
           errno == EINTR) {
    }
    const sigset_t all = handed_on_set();
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    child_pid = 0;

    int status = 0;
    while (::waitpid(pid, &status, 0) == -1 && errno == EINTR) {
    }
    return {.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
            .told_to_end = told_to_end};
}

Ending become(const std::vector<std::string>& program) {
    ::execvp(program.front().c_str(), pointers(program).data());
    return not_run(as_shells_say(program.front(), errno));
}

}  // namespace cachetool
