// SPDX-License-Identifier: MIT
#include "cachetool/system/other_process.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "cachetool/system/last_error.hpp"

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
        close_read_end();
        if (ends_[1] >= 0) ::close(ends_[1]);
    }
    ScopedPipe(const ScopedPipe&) = delete;
    ScopedPipe& operator=(const ScopedPipe&) = delete;

    [[nodiscard]] bool is_open() const { return ends_[0] >= 0; }
    void close_read_end() {
        if (ends_[0] >= 0) ::close(std::exchange(ends_[0], -1));
    }
    [[nodiscard]] int take_write_end() { return std::exchange(ends_[1], -1); }

    [[nodiscard]] bool write_byte(char byte) const {
        return retry([&] { return ::write(ends_[1], &byte, 1); }) == 1;
    }
    /// Returns '\0' if the other end is closed.
    [[nodiscard]] char read_byte() const {
        char byte = '\0';
        static_cast<void>(retry([&] { return ::read(ends_[0], &byte, 1); }));
        return byte;
    }

private:
    std::array<int, 2> ends_{-1, -1};
};

}  // namespace

OtherProcess::OtherProcess(const std::function<bool()>& act) {
    ScopedPipe report, stay;
    if (!report.is_open() || !stay.is_open()) return;
    pid_ = ::fork();
    if (pid_ == 0) {
        // Whatever these signals mean to its parent, they end the child.
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_DFL);
        report.close_read_end();
        ::close(stay.take_write_end());
        // Without a report, the parent would wait for one as long as the child stays.
        if (!report.write_byte(act() ? 'y' : 'n')) ::_exit(1);
        static_cast<void>(stay.read_byte());
        ::_exit(0);
    }
    ::close(report.take_write_end());
    stay_ = stay.take_write_end();
    succeeded_ = pid_ > 0 && report.read_byte() == 'y';
}

void OtherProcess::crash() {
    if (stay_ >= 0) ::close(std::exchange(stay_, -1));
    if (pid_ <= 0) return;
    const auto pid = static_cast<pid_t>(pid_);
    ::kill(pid, SIGKILL);
    static_cast<void>(retry([&] { return ::waitpid(pid, nullptr, 0); }));
    pid_ = -1;
}

}  // namespace cachetool::system
