// SPDX-License-Identifier: MIT
#include "cachetool/system/standard_streams.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <csignal>

#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {

void prepare_standard_streams() {
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd) {
        if (retry([&] { return ::fcntl(fd, F_GETFD); }) != -1 || errno != EBADF) continue;
        // The lowest free number is fd. It is opened the wrong way round, so that using it fails.
        const int flags = (fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) | O_CLOEXEC;
        static_cast<void>(retry([&] { return ::open("/dev/null", flags); }));
    }
    // A handler, not SIG_IGN: exec puts the default back, so that the programs we run still die of
    // a broken pipe.
    if (std::signal(SIGPIPE, [](int) {}) == SIG_IGN) std::signal(SIGPIPE, SIG_IGN);
}

std::error_code write_all(StandardStream stream, std::string_view text) {
    const int fd = stream == StandardStream::output ? STDOUT_FILENO : STDERR_FILENO;
    while (!text.empty()) {
        const ssize_t put = retry([&] { return ::write(fd, text.data(), text.size()); });
        if (put < 0) return last_error();
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

std::error_code confirm_output() {
    const int copy = retry([] { return ::dup(STDOUT_FILENO); });
    if (copy < 0) return {};  // what was written was accepted, and nothing says otherwise
    // A close that a signal interrupts must not be repeated: the descriptor is gone.
    return ::close(copy) == 0 || errno == EINTR ? std::error_code() : last_error();
}

}  // namespace cachetool::system
