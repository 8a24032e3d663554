// SPDX-License-Identifier: MIT
// How a run is going: a few lines that are drawn anew on a terminal, and a line every few seconds elsewhere. On stderr.
#pragma once

#include <chrono>
#include <string>

#include "stress/board/board.hpp"

namespace larder::stress {

class RunProgress {
public:
    explicit RunProgress(const SharedBoard& board, bool quiet = false);

    /// Shows the state of the run if it is time to. `phase` is what is being done.
    void show(std::string_view phase, std::size_t processes);
    /// What was drawn is gone.
    void clear();

private:
    void draw(std::string_view phase, std::size_t processes, double rate);
    void print(std::string_view phase, std::size_t processes, double rate) const;

    const SharedBoard& board_;
    bool quiet_;
    bool terminal_;
    std::chrono::steady_clock::time_point begun_, shown_;
    std::uint64_t operations_shown_ = 0;
    int lines_drawn_ = 0;
};

/// "12 µs", "3.4 ms", "1.2 s".
[[nodiscard]] std::string duration_text(std::uint64_t nanoseconds);
/// The name of an operation's kind; empty for what is none.
[[nodiscard]] std::string_view operation_name(std::size_t kind) noexcept;

}  // namespace larder::stress
