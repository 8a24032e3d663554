// SPDX-License-Identifier: MIT
// A line on the terminal that tells how far something is.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <larder/collect.hpp>

#include "cachetool/term/output.hpp"

namespace cachetool {

/// Shows what a collection is at, on stderr, where that is a terminal and it has lasted half a second (arbitrary: what is over by then
/// needs no picture). Cleared in the end.
class Progress {
public:
    explicit Progress(const Output& output);
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void show(const larder::CollectProgress& progress);
    /// Before anything else is said.
    void clear();

private:
    using Clock = std::chrono::steady_clock;
    const bool wanted_;
    const Clock::time_point begun_ = Clock::now();
    Clock::time_point next_ = begun_;
    std::optional<larder::CollectProgress::Phase> phase_;
    Clock::time_point phase_begun_ = begun_;
    bool shown_ = false;
};

/// "[######------]  37% …": `width` characters between the brackets.
[[nodiscard]] std::string bar(std::uint64_t done, std::uint64_t total, std::size_t width);

}  // namespace cachetool
