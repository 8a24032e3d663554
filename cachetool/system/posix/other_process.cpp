// SPDX-License-Identifier: MIT
#include "cachetool/system/other_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {
namespace {

/// A pipe whose ends are closed with it. A program that is started later does not inherit them:
/// without other threads, none can be started before the flags are set. (macOS has pipe2 only since
/// version 27.)
class ScopedPipe {
public:
    ScopedPipe() {
        if (retry([&] { return ::pipe(ends_.data()); }) != 0) return;
        for (const int end : ends_) retry([&] { return ::fcntl(end, F_SETFD, FD_CLOEXEC); });
    }
    ~ScopedPipe() {
        for (const int end : ends_) {
            if (end >= 0) ::close(end);
        }
    }
    ScopedPipe(const ScopedPipe&) = delete;
    ScopedPipe& operator=(const ScopedPipe&) = delete;

    [[nodiscard]] bool is_open() const { return ends_[0] >= 0; }
    [[nodiscard]] int read_end() const { return ends_[0]; }
    [[nodiscard]] int write_end() const { return ends_[1]; }
    [[nodiscard]] int take_write_end() { return std::exchange(ends_[1], -1); }

private:
    std::array<int, 2> ends_{-1, -1};
};

/// Returns '\0' if the other end is closed.
char read_byte(int fd) {
    char byte = '\0';
    static_cast<void>(retry([&] { return ::read(fd, &byte, 1); }));
    return byte;
}

}  // namespace

struct OtherProcess::ChildState {
    int stay;  ///< the write end of a pipe; the child lives until it is closed

    explicit ChildState(int write_end) : stay(write_end) {}
    ChildState(const ChildState&) = delete;
    ChildState& operator=(const ChildState&) = delete;
    ~ChildState() { ::close(stay); }
};

OtherProcess::OtherProcess(const ProcessPart& part, const std::vector<std::string>& words) {
    ScopedPipe report, stay;
    if (!report.is_open() || !stay.is_open()) return;
    pid_ = ::fork();
    if (pid_ == 0) {
        // Whatever these signals mean to its parent, they end the child.
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
        static_cast<void>(retry([&] { return ::dup2(stay.read_end(), STDIN_FILENO); }));
        static_cast<void>(retry([&] { return ::dup2(report.write_end(), STDOUT_FILENO); }));
        ::close(stay.take_write_end());
        ::close(report.take_write_end());
        ::_exit(play_part(part, words));
    }
    ::close(report.take_write_end());
    child_ = std::make_unique<ChildState>(stay.take_write_end());
    succeeded_ = pid_ > 0 && read_byte(report.read_end()) == 'y';
}

OtherProcess::~OtherProcess() { crash(); }

void OtherProcess::crash() {
    child_.reset();
    if (pid_ <= 0) return;
    const auto pid = static_cast<pid_t>(pid_);
    ::kill(pid, SIGKILL);
    static_cast<void>(retry([&] { return ::waitpid(pid, nullptr, 0); }));
    pid_ = -1;
}

int play_part(const ProcessPart& part, const std::vector<std::string>& words) {
    const char report = part.act(words) ? 'y' : 'n';
    // Without a report, the other process would wait for one as long as this one stays.
    if (retry([&] { return ::write(STDOUT_FILENO, &report, 1); }) != 1) return 1;
    static_cast<void>(read_byte(STDIN_FILENO));
    return 0;
}

}  // namespace cachetool::system
