// SPDX-License-Identifier: MIT
#include "stress/run/progress.hpp"

#include <unistd.h>

#include <cstdio>
#include <fmt/format.h>

#include "stress/scenario/scenario.hpp"

namespace larder::stress {

namespace {

using Clock = std::chrono::steady_clock;

std::string faults_text(const Board& board) {
    std::string text;
    const auto& names = fault_names();
    for (std::size_t i = 0; i < names.size(); ++i) {
        std::uint64_t times = board.faults[i].load();
        for (const auto& point : board.points) {
            if (names[i].name == std::string_view("point-kill")) times += point.killed.load();
            if (names[i].name == std::string_view("point-stop")) times += point.stopped.load();
            if (names[i].name == std::string_view("point-fork")) times += point.forked.load();
        }
        if (times != 0)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", names[i].name, times);
    }
    return text.empty() ? "none" : text;
}

}  // namespace

std::string duration_text(std::uint64_t nanoseconds) {
    const auto value = static_cast<double>(nanoseconds);
    if (value < 1e4) return fmt::format("{:.1f} µs", value / 1e3);
    if (value < 1e6) return fmt::format("{:.0f} µs", value / 1e3);
    if (value < 1e9) return fmt::format("{:.1f} ms", value / 1e6);
    return fmt::format("{:.1f} s", value / 1e9);
}

std::string_view operation_name(std::size_t kind) noexcept {
    switch (static_cast<Kind>(kind)) {
        case Kind::put:
            return "put";
        case Kind::get:
            return "get";
        case Kind::build:
            return "build";
        case Kind::use:
            return "use";
        case Kind::remove:
            return "remove";
        case Kind::refresh:
            return "refresh";
        case Kind::collect:
            return "collect";
        case Kind::list:
            return "list";
        case Kind::verify:
            return "verify";
        case Kind::open:
            return "open";
        case Kind::evict:
            return "evict";
        default:
            return {};
    }
}

Progress::Progress(const Board& board, bool quiet)
    : board_(board),
      quiet_(quiet),
      terminal_(::isatty(STDERR_FILENO) == 1),
      begun_(Clock::now()),
      shown_(begun_) {}

void Progress::show(std::string_view phase, std::size_t processes) {
    // On a terminal twice a second, which eyes can follow; in a log every five, which nobody minds scrolling through.
    const auto interval =
        terminal_ ? std::chrono::milliseconds(500) : std::chrono::milliseconds(5000);
    const auto now = Clock::now();
    if (quiet_ || now - shown_ < interval) return;
    const auto operations = board_.operations();
    const double rate = static_cast<double>(operations - operations_shown_) /
                        std::chrono::duration<double>(now - shown_).count();
    shown_ = now;
    operations_shown_ = operations;
    terminal_ ? draw(phase, processes, rate) : print(phase, processes, rate);
}

void Progress::clear() {
    if (lines_drawn_ > 0) fmt::print(stderr, "\x1b[{}A\x1b[J", lines_drawn_);
    lines_drawn_ = 0;
}

void Progress::draw(std::string_view phase, std::size_t processes, double rate) {
    clear();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(shown_ - begun_).count();
    fmt::print(stderr, "{} s  {}: {} processes, {:.0f} operations/s, {} violations\n", seconds,
               phase, processes, rate, board_.violations.load());
    fmt::print(stderr, "  {:<8} {:>10} {:>10} {:>10} {:>10}\n", "", "times", "p50", "p99", "max");
    lines_drawn_ = 3;
    for (std::size_t kind = 0; kind < max_kinds; ++kind) {
        const Latency& latency = board_.latencies[kind];
        if (operation_name(kind).empty() || latency.count() == 0) continue;
        fmt::print(stderr, "  {:<8} {:>10} {:>10} {:>10} {:>10}\n", operation_name(kind),
                   latency.count(), duration_text(latency.percentile(0.5)),
                   duration_text(latency.percentile(0.99)), duration_text(latency.max()));
        ++lines_drawn_;
    }
    fmt::print(stderr, "  faults: {}\n", faults_text(board_));
}

void Progress::print(std::string_view phase, std::size_t processes, double rate) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(shown_ - begun_).count();
    fmt::print(stderr,
               "{:>5} s  {}: {} processes, {:.0f} operations/s, {} violations; faults: {}\n",
               seconds, phase, processes, rate, board_.violations.load(), faults_text(board_));
}

}  // namespace larder::stress
