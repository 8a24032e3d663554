// SPDX-License-Identifier: MIT
#include "cachetool/term/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fmt/format.h>
#include <utility>

#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Phase = larder::CollectProgress::Phase;
using std::chrono::milliseconds;

constexpr milliseconds patience{500};
/// Ten times a second is as fast as people read.
constexpr milliseconds pace{100};

const char* verb_of(Phase phase) {
    switch (phase) {
        case Phase::planning:
            return "looking at entries";
        case Phase::evicting:
            return "evicting";
        case Phase::collecting:
            return "moving aside";
        case Phase::deleting:
            return "deleting files";
    }
    return "";
}

std::size_t columns() {
    winsize size{};
    return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void put(const std::string& text) {
    std::fwrite(text.data(), 1, text.size(), stderr);
    std::fflush(stderr);
}

}  // namespace

Progress::Progress(const Output& output)
    : wanted_(output.talks() && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
    if (std::exchange(shown_, false)) put("\r\x1b[K");
}

void Progress::show(const larder::CollectProgress& progress) {
    if (!wanted_) return;
    const auto now = Clock::now();
    if (phase_ != progress.phase) {
        phase_ = progress.phase;
        phase_begun_ = now;
    }
    if (now < begun_ + patience || now < next_) return;
    next_ = now + pace;
    const double seconds =
        std::max(std::chrono::duration<double>(now - phase_begun_).count(), 0.001);
    const double rate = static_cast<double>(progress.done) / seconds;
    std::string line = fmt::format("{}: {}", verb_of(progress.phase), progress.done);
    if (progress.total != 0) {
        const auto left =
            static_cast<double>(progress.total - std::min(progress.done, progress.total)) /
            std::max(rate, 0.001);
        line += fmt::format(
            " of {} {} {}", progress.total, bar(progress.done, progress.total, 20),
            shown_duration(std::chrono::seconds(static_cast<std::int64_t>(left))) + " left");
    }
    line += fmt::format(", {:.0f}/s", rate);
    const std::string_view comfort = "; Ctrl-C is safe";
    if (line.size() + comfort.size() < columns()) line += comfort;
    line.resize(std::min(line.size(), columns() - 1));
    put("\r" + line + "\x1b[K");
    shown_ = true;
}

std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width) {
    const double share =
        total == 0 ? 1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
    return fmt::format("[{}{}] {:3.0f}%", std::string(full, '#'), std::string(width - full, '-'),
                       share * 100);
}

}  // namespace cachetool
