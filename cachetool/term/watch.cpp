// SPDX-License-Identifier: MIT
#include "cachetool/term/watch.hpp"

#include <sys/ioctl.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
#include <string_view>

namespace cachetool {
namespace {

// ECMA-48 and xterm's private modes. Long lines are cut off at the edge: a line that went on in the next would push the first
// ones out.
constexpr std::string_view enter = "\x1b[?1049h\x1b[?25l\x1b[?7l";
constexpr std::string_view leave = "\x1b[?7h\x1b[?25h\x1b[?1049l";
constexpr std::string_view home = "\x1b[H", clear_line = "\x1b[K", clear_rest = "\x1b[J";

/// The other screen of a terminal, for as long as this lives. Where stdout is no terminal it is nothing.
class Screen {
public:
    Screen(const Output& output, bool wanted) : output_(output), there_(wanted) { show(enter); }
    ~Screen() { show(leave); }
    Screen(const Screen&) = delete;
    Screen& operator=(const Screen&) = delete;

    [[nodiscard]] Outcome draw(std::string_view text) const {
        if (!there_) return output_.text(text);
        return output_.text(fitted(text));
    }

    /// Ctrl-Z: the shell gets its own screen back until we go on.
    void suspend() const {
        show(leave);
        std::raise(SIGSTOP);
        show(enter);
    }

private:
    void show(std::string_view codes) const {
        if (there_) static_cast<void>(output_.text(codes));
    }

    /// As many lines as the terminal has, over what stood there. The last one is not ended: that would scroll.
    static std::string fitted(std::string_view text) {
        winsize size{};
        const std::size_t rows =
            ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
        std::string out(home);
        for (std::size_t row = 0; row < rows && !text.empty(); ++row) {
            const auto line = text.substr(0, text.find('\n'));
            text.remove_prefix(std::min(line.size() + 1, text.size()));
            if (row > 0) out += "\r\n";
            out += line;
            out += clear_line;
        }
        return out += clear_rest;
    }

    const Output& output_;
    bool there_;
};

// The signals that `watch` waits for, the more urgent ones first, and which of them have come.
constexpr std::array awaited{SIGINT, SIGTERM, SIGHUP, SIGTSTP, SIGWINCH};
std::array<std::atomic<bool>, awaited.size()> came;
static_assert(std::atomic<bool>::is_always_lock_free, "a handler may write nothing else");

void note(int signal) {
    for (std::size_t i = 0; i < awaited.size(); ++i) {
        if (awaited[i] == signal) came[i] = true;
    }
}

/// Blocks the awaited signals while it lives, so that they come while `wait` waits for them, never
/// in the middle of a frame. A signal that is ignored stays so.
class Signals {
public:
    Signals() {
        sigset_t set;
        sigemptyset(&set);
        for (const int signal : awaited) sigaddset(&set, signal);
        ::sigprocmask(SIG_BLOCK, &set, &before_);
        unblocked_ = before_;
        struct sigaction noted {};
        noted.sa_handler = note;
        sigfillset(&noted.sa_mask);
        for (std::size_t i = 0; i < awaited.size(); ++i) {
            sigdelset(&unblocked_, awaited[i]);
            came[i] = false;
            ::sigaction(awaited[i], nullptr, &actions_before_[i]);
            if (actions_before_[i].sa_handler != SIG_IGN) ::sigaction(awaited[i], &noted, nullptr);
        }
    }
    ~Signals() {
        for (std::size_t i = 0; i < awaited.size(); ++i)
            ::sigaction(awaited[i], &actions_before_[i], nullptr);
        ::sigprocmask(SIG_SETMASK, &before_, nullptr);
    }
    Signals(const Signals&) = delete;
    Signals& operator=(const Signals&) = delete;

    /// Returns the signal that came, or 0 when `limit` has passed.
    [[nodiscard]] int wait(std::chrono::milliseconds limit) const {
        if (const int earlier = next()) return earlier;
        const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit);
        const timespec time{static_cast<time_t>(seconds.count()),
                            static_cast<long>((limit - seconds).count() * 1'000'000)};
        // The signals are unblocked for this call alone. macOS has no sigtimedwait. After SIGCONT
        // this returns early, and another frame does no harm.
        static_cast<void>(::pselect(0, nullptr, nullptr, nullptr, &time, &unblocked_));
        return next();
    }

private:
    static int next() {
        for (std::size_t i = 0; i < awaited.size(); ++i) {
            if (came[i].exchange(false)) return awaited[i];
        }
        return 0;
    }

    sigset_t before_{};
    sigset_t unblocked_{};
    std::array<struct sigaction, awaited.size()> actions_before_{};
};

}  // namespace

Outcome watch(std::chrono::milliseconds interval, const Output& output,
              const std::function<tl::expected<std::string, Failure>()>& make_frame) {
    const Signals signals;
    const Screen screen(output, !output.json() && ::isatty(STDOUT_FILENO) == 1);
    for (;;) {
        const auto frame = make_frame();
        if (!frame) return tl::unexpected(frame.error());
        if (auto drawn = screen.draw(*frame); !drawn) return drawn;
        switch (const int signal = signals.wait(interval)) {
            case 0:
            case SIGWINCH:
                break;
            case SIGTSTP:
                screen.suspend();
                break;
            default:
                return 128 + signal;
        }
    }
}

}  // namespace cachetool
