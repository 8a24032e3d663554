// SPDX-License-Identifier: MIT
// A line on the terminal that shows how far a collection is.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <larder/collect.hpp>

#include "cachetool/term/output.hpp"

namespace cachetool {

/// Shows on stderr what a collection is doing, and how far it is. Shows nothing
///   - if stderr is no terminal, or with --quiet,
///   - in the first half second. (Arbitrary: what is over by then needs no picture.)
class ProgressLine {
public:
    explicit ProgressLine(const CommandOutput& output);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const larder::CollectProgress& progress);
    /// Removes the line. Call this before anything else is written.
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    const bool wanted_;
    const Clock::time_point begin_ = Clock::now();
    Clock::time_point next_ = begin_;
    std::optional<larder::CollectProgress::Phase> phase_;
    Clock::time_point phase_begin_ = begin_;
    bool is_shown_ = false;
};

/// Returns "[######------]  37%", with `width` characters between the brackets.
[[nodiscard]] std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width);

}  // namespace cachetool
