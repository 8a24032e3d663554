// SPDX-License-Identifier: MIT
#include "cachetool/term/progress.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <utility>

#include "cachetool/system/terminal.hpp"
#include "cachetool/term/text.hpp"

namespace cachetool {
namespace {

using Phase = larder::CollectProgress::Phase;
using std::chrono::milliseconds;
using system::StandardStream;

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

/// Returns "deleting files: 300 of 1000 [######--------------]  30% 7 s left, 100/s".
std::string line_of(const char* verb, std::uint64_t done, std::uint64_t total,
                    std::chrono::duration<double> took) {
    const double rate = static_cast<double>(done) / std::max(took.count(), 0.001);
    auto line = fmt::format("{}: {}", verb, done);
    if (total != 0) {
        const auto left = total - std::min(done, total);
        const auto seconds =
            static_cast<std::int64_t>(static_cast<double>(left) / std::max(rate, 0.001));
        line += fmt::format(" of {} {} {} left", total, bar(done, total, 20),
                            shown_duration(std::chrono::seconds(seconds)));
    }
    return line + fmt::format(", {:.0f}/s", rate);
}

void write(std::string_view text) {
    // What can't be shown is not missed.
    static_cast<void>(system::write_all(StandardStream::error, text));
}

}  // namespace

ProgressLine::ProgressLine(const CommandOutput& output)
    : wanted_(!output.quiet() && system::is_terminal(StandardStream::error)) {}

ProgressLine::~ProgressLine() { clear(); }

void ProgressLine::clear() {
    if (std::exchange(is_shown_, false)) write("\r\x1b[K");
}

void ProgressLine::show(const larder::CollectProgress& progress) {
    show(verb_of(progress.phase), progress.done, progress.total);
}

void ProgressLine::show(const char* verb, std::uint64_t done, std::uint64_t total) {
    if (!wanted_) return;
    const auto now = Clock::now();
    if (verb_ != verb) {
        verb_ = verb;
        phase_begin_ = now;
    }
    if (now < begin_ + patience || now < next_) return;
    next_ = now + pace;
    auto line = line_of(verb, done, total, now - phase_begin_);
    const auto columns = system::terminal_size(StandardStream::error).columns;
    constexpr std::string_view comfort = "; Ctrl-C is safe";
    if (line.size() + comfort.size() < columns) line += comfort;
    line.resize(std::min(line.size(), columns - 1));
    write("\r" + line + "\x1b[K");
    is_shown_ = true;
}

std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width) {
    const double share =
        total == 0 ? 1 : std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
    const auto full = static_cast<std::size_t>(share * static_cast<double>(width));
    return fmt::format("[{}{}] {:3.0f}%", std::string(full, '#'), std::string(width - full, '-'),
                       share * 100);
}

}  // namespace cachetool
