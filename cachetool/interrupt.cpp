#include "interrupt.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <thread>
#include <utility>

namespace cachetool {
namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};

std::atomic<int> came{0};
int wake[2] = {-1, -1};
std::thread waker;

/// Nothing but a write is safe here: a thread asks to stop.
void note(int number) {
    const int before = errno;
    came = number;
    (void)!::write(wake[1], "!", 1);
    errno = before;
}

}  // namespace

StopOnSignal::StopOnSignal() {
    came = 0;
    if (::pipe2(wake, O_CLOEXEC) != 0) return;  // then a signal does what it always does, which is safe too
    waker = std::thread([stop = stop_]() mutable {
        char word = 0;
        while (::read(wake[0], &word, 1) < 0 && errno == EINTR) {
        }
        if (word == '!') stop.request_stop();
    });
    for (const int number : signals) {
        struct sigaction old {
        }, action{};
        ::sigaction(number, nullptr, &old);
        if (old.sa_handler == SIG_IGN) continue;
        action.sa_handler = note;
        action.sa_flags = SA_RESETHAND | SA_RESTART;
        ::sigaction(number, &action, nullptr);
    }
}

StopOnSignal::~StopOnSignal() {
    if (!waker.joinable()) return;
    for (const int number : signals) {
        struct sigaction old {
        };
        ::sigaction(number, nullptr, &old);
        if (old.sa_handler == note) std::signal(number, SIG_DFL);
    }
    (void)!::write(wake[1], ".", 1);
    waker.join();
    for (int& end : wake) ::close(std::exchange(end, -1));
}

int StopOnSignal::signal() const noexcept { return came; }

void StopOnSignal::die_of_it() const {
    if (came == 0) return;
    std::signal(came, SIG_DFL);
    std::raise(came);
}

}  // namespace cachetool
