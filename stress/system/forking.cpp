// SPDX-License-Identifier: MIT
#include "stress/system/forking.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

namespace larder::stress {

bool fork_away(const std::function<void()>& child) {
    const pid_t between = ::fork();
    if (between < 0) return false;
    if (between == 0) {
        const pid_t grandchild = ::fork();
        if (grandchild != 0) ::_exit(grandchild < 0 ? 1 : 0);
        ::setpgid(0, 0);
        child();
        ::_exit(0);
    }
    int status = 0;
    while (::waitpid(between, &status, 0) < 0 && errno == EINTR) {
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

OnceSignal::OnceSignal() noexcept { open_ = ::pipe2(ends_, O_CLOEXEC) == 0; }

OnceSignal::~OnceSignal() {
    close_end(0);
    close_end(1);
}

void OnceSignal::give() noexcept {
    (void)!::write(ends_[1], "!", 1);
    close_end(1);
}

void OnceSignal::await() noexcept {
    close_end(1);
    char c = 0;
    while (open_ && ::read(ends_[0], &c, 1) < 0 && errno == EINTR) {
    }
}

void OnceSignal::close_end(int end) noexcept {
    if (ends_[end] >= 0) ::close(ends_[end]);
    ends_[end] = -1;
}

}  // namespace larder::stress
