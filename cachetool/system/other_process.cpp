// SPDX-License-Identifier: MIT
#include "cachetool/system/other_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace cachetool {
namespace {

ssize_t read_byte(int fd, char& byte) {
    ssize_t got = 0;
    do got = ::read(fd, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got;
}

/// Opens a pipe that a program started later does not inherit. macOS has pipe2 since version 27
/// alone; without other threads nothing can be started between the two steps.
bool open_pipe(int (&ends)[2]) {
    if (::pipe(ends) != 0) return false;
    for (const int end : ends) ::fcntl(end, F_SETFD, FD_CLOEXEC);
    return true;
}

}  // namespace

OtherProcess::OtherProcess(const std::function<bool()>& act) {
    int told[2], stay[2];
    if (!open_pipe(told)) return;
    if (!open_pipe(stay)) {
        ::close(told[0]);
        ::close(told[1]);
        return;
    }
    pid_ = ::fork();
    if (pid_ == 0) {
        // What its parent does about these signals, it does by ending this one.
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
        ::close(told[0]);
        ::close(stay[1]);
        char byte = act() ? 'y' : 'n';
        static_cast<void>(!::write(told[1], &byte, 1));
        static_cast<void>(read_byte(stay[0], byte));
        ::_exit(0);
    }
    ::close(told[1]);
    ::close(stay[0]);
    stay_ = stay[1];
    char byte = 'n';
    succeeded_ = pid_ > 0 && read_byte(told[0], byte) == 1 && byte == 'y';
    ::close(told[0]);
}

void OtherProcess::kill() {
    if (stay_ >= 0) ::close(std::exchange(stay_, -1));
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
}

}  // namespace cachetool
