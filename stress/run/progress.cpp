// SPDX-License-Identifier: MIT
#include "stress/run/progress.hpp"

#include <cstdio>
#include <fmt/format.h>

#include "stress/scenario/scenario.hpp"
#include "stress/system/process.hpp"

namespace larder::stress {

namespace {

std::string faults_text(const SharedBoard& board) {
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
    switch (static_cast<EventKind>(kind)) {
        case EventKind::put:
            return "put";
        case EventKind::get:
            return "get";
        case EventKind::build:
            return "build";
        case EventKind::claim:
            return "claim";
        case EventKind::use:
            return "use";
        case EventKind::remove:
            return "remove";
        case EventKind::refresh:
            return "refresh";
        case EventKind::collect:
            return "collect";
        case EventKind::list:
            return "list";
        case EventKind::verify:
            return "verify";
        case EventKind::open:
            return "open";
        case EventKind::evict:
            return "evict";
        default:
            return {};
    }
}

RunProgress::RunProgress(const SharedBoard& board, bool quiet)
    : board_(board),
      quiet_(quiet),
      terminal_(stderr_is_terminal()),
      begun_(std::chrono::steady_clock::now()),
      shown_(begun_) {}

void RunProgress::show(std::string_view phase, std::size_t processes) {
    // Twice a second on a terminal, which eyes can follow. Every five seconds in a log, to keep it
    // short.
    const auto interval =
        terminal_ ? std::chrono::milliseconds(500) : std::chrono::milliseconds(5000);
    const auto now = std::chrono::steady_clock::now();
    if (quiet_ || now - shown_ < interval) return;
    const auto operations = board_.operations();
    const double rate = static_cast<double>(operations - operations_shown_) /
                        std::chrono::duration<double>(now - shown_).count();
    shown_ = now;
    operations_shown_ = operations;
    terminal_ ? draw(phase, processes, rate) : print(phase, processes, rate);
}

void RunProgress::clear() {
    if (lines_drawn_ > 0) fmt::print(stderr, "\x1b[{}A\x1b[J", lines_drawn_);
    lines_drawn_ = 0;
}

void RunProgress::draw(std::string_view phase, std::size_t processes, double rate) {
    clear();
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(shown_ - begun_).count();
    fmt::print(stderr, "{} s  {}: {} processes, {:.0f} operations/s, {} violations\n", seconds,
               phase, processes, rate, board_.violations.load());
    fmt::print(stderr, "  {:<8} {:>10} {:>10} {:>10} {:>10}\n", "", "times", "p50", "p99", "max");
    lines_drawn_ = 3;
    for (std::size_t kind = 0; kind < max_kinds; ++kind) {
        const LatencyHistogram& latency = board_.latencies[kind];
        if (operation_name(kind).empty() || latency.count() == 0) continue;
        fmt::print(stderr, "  {:<8} {:>10} {:>10} {:>10} {:>10}\n", operation_name(kind),
                   latency.count(), duration_text(latency.percentile(0.5)),
                   duration_text(latency.percentile(0.99)), duration_text(latency.max()));
        ++lines_drawn_;
    }
    fmt::print(stderr, "  faults: {}\n", faults_text(board_));
}

void RunProgress::print(std::string_view phase, std::size_t processes, double rate) const {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(shown_ - begun_).count();
    fmt::print(stderr,
               "{:>5} s  {}: {} processes, {:.0f} operations/s, {} violations; faults: {}\n",
               seconds, phase, processes, rate, board_.violations.load(), faults_text(board_));
}

}  // namespace larder::stress
