// SPDX-License-Identifier: MIT
#include "cachetool/system/child.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <cstring>
#include <spawn.h>

#include "cachetool/system/environment.hpp"
#include "cachetool/system/posix/last_error.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): macOS declares none

namespace cachetool::system {
namespace {

constexpr std::array ending_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};
constexpr std::array forwarded_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2};

// What the signal handler knows. The child's pid stands here only while no other process can have
// it.
std::atomic<pid_t> child_pid{0};
std::atomic<int> last_ending_signal{0};
static_assert(std::atomic<pid_t>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

void forward(int signal, siginfo_t* info, void*) {
    const int saved = errno;
    const pid_t child = child_pid;
    // A signal that the kernel sends by itself (si_code above 0) comes from the terminal, which
    // sends it to every process of the foreground group. A child in our group has it already, and
    // many programs take a second Ctrl-C for "end at once, without cleaning up".
    const bool was_sent_to_both = info->si_code > 0 && child > 0 && ::getpgid(child) == ::getpgrp();
    if (child > 0 && !was_sent_to_both) ::kill(child, signal);
    for (const int ending : ending_signals) {
        if (signal == ending) last_ending_signal = signal;
    }
    errno = saved;
}

sigset_t forwarded_set() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : forwarded_signals) sigaddset(&set, signal);
    return set;
}

/// Forwards signals while it lives, if they are not blocked. Its constructor returns with all of
/// them blocked, and its destructor requires that.
class SignalForwarding {
public:
    SignalForwarding() {
        const sigset_t all = forwarded_set();
        ::pthread_sigmask(SIG_BLOCK, &all, &mask_before_);
        last_ending_signal = 0;
        struct sigaction action {};
        action.sa_sigaction = forward;
        action.sa_flags = SA_SIGINFO | SA_RESTART;
        sigfillset(&action.sa_mask);
        for (std::size_t i = 0; i < forwarded_signals.size(); ++i) {
            ::sigaction(forwarded_signals[i], nullptr, &before_[i]);
            // An ignored signal stays ignored, here and in the child, as under nohup.
            if (before_[i].sa_handler != SIG_IGN)
                ::sigaction(forwarded_signals[i], &action, nullptr);
        }
        // If our parent ignores SIGCHLD, so do we, and could not learn how the child ended.
        struct sigaction by_default {};
        by_default.sa_handler = SIG_DFL;
        ::sigaction(SIGCHLD, &by_default, &child_before_);
    }
    SignalForwarding(const SignalForwarding&) = delete;
    SignalForwarding& operator=(const SignalForwarding&) = delete;
    ~SignalForwarding() {
        for (std::size_t i = 0; i < forwarded_signals.size(); ++i)
            ::sigaction(forwarded_signals[i], &before_[i], nullptr);
        ::sigaction(SIGCHLD, &child_before_, nullptr);
        ::pthread_sigmask(SIG_SETMASK, &mask_before_, nullptr);
    }

    [[nodiscard]] const sigset_t& mask_before() const { return mask_before_; }

private:
    sigset_t mask_before_{};
    std::array<struct sigaction, forwarded_signals.size()> before_{};
    struct sigaction child_before_ {};
};

std::vector<char*> pointers_to(const std::vector<std::string>& program) {
    std::vector<char*> argv;
    argv.reserve(program.size() + 1);
    for (const auto& word : program)
        argv.push_back(const_cast<char*>(word.c_str()));  // exec changes nothing
    argv.push_back(nullptr);
    return argv;
}

/// Returns true if one of the directories in PATH has a file of this name.
bool is_in_path(const std::string& command) {
    const std::string path = environment_variable("PATH").value_or("");
    for (std::size_t begin = 0; begin < path.size();) {
        const auto end = std::min(path.find(':', begin), path.size());
        const std::string file = path.substr(begin, end - begin) + "/" + command;
        if (retry([&] { return ::access(file.c_str(), F_OK); }) == 0) return true;
        begin = end + 1;
    }
    return false;
}

/// Returns the end of a program that could not be run because of `error`, an errno.
ProgramEnd not_run(const std::string& command, int error) {
    // If a directory of PATH may not be searched, exec reports EACCES even for a command that
    // exists nowhere. Shells then say "not found", and so do we.
    if (error == EACCES && command.find('/') == std::string::npos && !is_in_path(command))
        error = ENOENT;
    return {.exit_code = error == ENOENT ? command_not_found : cannot_execute,
            .not_run = {error, std::generic_category()}};
}

/// Starts the program. Returns 0 or an errno. posix_spawn reports whether the program could be run,
/// and runs none of our code between fork and exec.
int spawn(pid_t& pid, const std::vector<std::string>& program, ChildOutput output,
          const std::string& directory, const sigset_t& mask) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
    if (output == ChildOutput::to_stderr)
        ::posix_spawn_file_actions_adddup2(&files, STDERR_FILENO, STDOUT_FILENO);
    // Not in POSIX of 2017, but glibc, musl and macOS have it.
    if (!directory.empty()) ::posix_spawn_file_actions_addchdir_np(&files, directory.c_str());
    ::posix_spawnattr_setsigmask(&attributes, &mask);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int error = ::posix_spawnp(&pid, program.front().c_str(), &files, &attributes,
                                     pointers_to(program).data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&files);
    return error;
}

}  // namespace

ProgramEnd run_child(const std::vector<std::string>& program, ChildOutput output,
                     const std::string& directory) {
    const SignalForwarding forwarding;
    pid_t pid = 0;
    int error = spawn(pid, program, output, directory, forwarding.mask_before());
    if (error == ENOEXEC) {
        // A script without a "#!" line. execvp gives it to the shell; posix_spawnp leaves that to
        // us.
        std::vector<std::string> script{"/bin/sh"};
        script.insert(script.end(), program.begin(), program.end());
        error = spawn(pid, script, output, directory, forwarding.mask_before());
    }
    if (error != 0) return not_run(program.front(), error);

    child_pid = pid;
    ::pthread_sigmask(SIG_SETMASK, &forwarding.mask_before(), nullptr);
    // WNOWAIT leaves the child a zombie, whose pid no other process can have. It is reaped when no
    // signal can be forwarded to it any more.
    siginfo_t ended{};
    // Each signal that is forwarded interrupts this wait. No program gets so many of them, but a
    // sandbox may answer so for ever.
    constexpr int max_signals = 100'000;
    for (int signals = 0; signals < max_signals; ++signals) {
        if (::waitid(P_PID, static_cast<id_t>(pid), &ended, WEXITED | WNOWAIT) == 0 ||
            errno != EINTR)
            break;
    }
    const sigset_t all = forwarded_set();
    ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
    child_pid = 0;

    int status = 0;
    if (retry([&] { return ::waitpid(pid, &status, 0); }) == -1)
        return {.exit_code = cannot_execute, .not_run = last_error()};  // its end is not known
    return {.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
            .killed_by = WIFSIGNALED(status) ? WTERMSIG(status) : 0,
            .ending_signal = last_ending_signal};
}

std::string signal_for_people(int signal) {
    const char* const name = ::strsignal(signal);
    return "signal " + std::to_string(signal) +
           (name == nullptr ? std::string() : " (" + std::string(name) + ")");
}

ProgramEnd become(const std::vector<std::string>& program) {
    ::execvp(program.front().c_str(), pointers_to(program).data());
    return not_run(program.front(), errno);
}

}  // namespace cachetool::system
