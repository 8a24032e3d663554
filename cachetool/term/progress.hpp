// SPDX-License-Identifier: MIT
// A line on the terminal that shows how far a collection is.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include <larder/collect.hpp>

#include "cachetool/term/output.hpp"

namespace cachetool {

/// Shows on stderr what a collection, or another long task, is doing, and how far it is. Shows
/// nothing
///   - if stderr is no terminal, or with --quiet,
///   - in the first half second. (Arbitrary: what is over by then needs no picture.)
class ProgressLine {
public:
    explicit ProgressLine(const CommandOutput& output);
    ~ProgressLine();
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;

    void show(const larder::CollectProgress& progress);
    /// Shows another task: what is being done, as a word that lives as long as the program, and how
    /// far it is. `total` is 0 if it is not known.
    void show(const char* verb, std::uint64_t done, std::uint64_t total);
    /// Removes the line. Call this before anything else is written.
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    const bool wanted_;
    const Clock::time_point begin_ = Clock::now();
    Clock::time_point next_ = begin_;
    const char* verb_ = "";
    Clock::time_point phase_begin_ = begin_;
    bool is_shown_ = false;
};

/// Returns "[######------]  37%", with `width` characters between the brackets.
[[nodiscard]] std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width);

}  // namespace cachetool
