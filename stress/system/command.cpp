// SPDX-License-Identifier: MIT
#include "stress/system/command.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <spawn.h>

#include "stress/system/posix.hpp"

extern char** environ;  // NOLINT(readability-redundant-declaration): macOS declares none

namespace larder::stress {

namespace {

/// The descriptor by which a program that the command starts reaches this process. Nine is the
/// highest number that every shell can redirect, and a test uses a shell script as the command.
constexpr int talk_fd = 9;

/// A command at work, and what comes from it.
class RunningCommand {
public:
    RunningCommand(pid_t pid, Fd out, Fd talk)
        : pid_(pid),
          ended_(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))),
          out_(std::move(out)),
          talk_(std::move(talk)) {}

    CommandRun watch(CommandDeadline deadline, const std::function<void()>& answer) {
        CommandRun run;
        // The end of its output is not awaited: a child that another thread forks holds the pipe
        // open for as long as it lives.
        for (bool ended = false; !ended;) {
            std::array<pollfd, 3> ready{
                {{ended_.get(), POLLIN, 0}, {out_.get(), POLLIN, 0}, {talk_.get(), POLLIN, 0}}};
            (void)::poll(ready.data(), ready.size(), milliseconds_until(deadline));
            ended = (ready[0].revents & POLLIN) != 0 || !ended_;
            if (ready[1].revents != 0) take_output(run.out);
            if (ready[2].revents != 0) reply(answer);
        }
        while (take_output(run.out)) {
        }
        run.code = code();
        run.had_signal = signalled_;
        return run;
    }

private:
    /// Returns how long to wait for the command; -1 for as long as it takes. Sends it the signal at
    /// the deadline.
    int milliseconds_until(CommandDeadline& deadline) {
        if (!deadline.is_set()) return -1;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(
                              deadline.at - std::chrono::steady_clock::now())
                              .count();
        if (left > 0) return static_cast<int>(left);
        ::kill(pid_, deadline.gently ? SIGTERM : SIGKILL);
        signalled_ = true;
        deadline = {};
        return -1;
    }

    /// Returns false if there is no output now, or will be none any more.
    bool take_output(std::string& text) {
        char buffer[4096];
        const auto got = out_ ? ::read(out_.get(), buffer, sizeof buffer) : 0;
        if (got > 0) text.append(buffer, static_cast<std::size_t>(got));
        if (got == 0) out_.reset();
        return got > 0;
    }

    void reply(const std::function<void()>& answer) {
        char word = 0;
        if (::read(talk_.get(), &word, 1) != 1) return talk_.reset();
        if (signalled_) return;
        if (answer) answer();
        (void)!::write(talk_.get(), "!", 1);
    }

    int code() const {
        int status = 0;
        while (::waitpid(pid_, &status, 0) < 0) {
            if (errno != EINTR) return 1;
        }
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    }

    pid_t pid_;
    bool signalled_ = false;
    Fd ended_, out_, talk_;
};

}  // namespace

CommandRun run_command(const std::vector<std::string>& command, CommandDeadline deadline,
                       const std::function<void()>& answer) {
    std::vector<char*> arguments;
    arguments.reserve(command.size() + 1);
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    int out[2], talk[2];
    if (::pipe2(out, O_CLOEXEC) != 0) return {.code = 1, .started = false};
    Fd from(out[0]), to(out[1]);
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, talk) != 0)
        return {.code = 1, .started = false};
    Fd ours(talk[0]), theirs(talk[1]);
    (void)::fcntl(from.get(), F_SETFL, O_NONBLOCK);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to.get(), STDOUT_FILENO);
    ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), talk_fd);
    // The processes of a run ignore SIGTERM, and a program that they start would do so too.
    sigset_t not_ignored;
    ::sigemptyset(&not_ignored);
    ::sigaddset(&not_ignored, SIGTERM);
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigdefault(&attributes, &not_ignored);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
    pid_t pid = -1;
    const int error =
        ::posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    ::posix_spawnattr_destroy(&attributes);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return {.code = 1, .out = std::strerror(error), .started = false};
    to.reset();
    theirs.reset();
    return RunningCommand(pid, std::move(from), std::move(ours)).watch(deadline, answer);
}

bool ask_runner() noexcept {
    char word = '!';
    return ::write(talk_fd, &word, 1) == 1 && ::read(talk_fd, &word, 1) == 1;
}

void close_inherited_files() noexcept {
    for (int fd = STDERR_FILENO + 1; fd < 1024; ++fd) ::close(fd);
}

}  // namespace larder::stress
