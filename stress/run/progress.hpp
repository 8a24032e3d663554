// SPDX-License-Identifier: MIT
// Shows on stderr how a run is going: on a terminal by a few lines that are drawn again and again,
// elsewhere by a line every few seconds.
#pragma once

#include <chrono>
#include <string>

#include "stress/board/board.hpp"

namespace larder::stress {

class RunProgress {
public:
    explicit RunProgress(const SharedBoard& board, bool quiet = false);

    /// Shows the state of the run if it is time to. `phase` says what is being done.
    void show(std::string_view phase, std::size_t processes);
    /// Removes what was drawn.
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

/// Returns a text such as "12 µs", "3.4 ms" or "1.2 s".
[[nodiscard]] std::string duration_text(std::uint64_t nanoseconds);
/// Returns the name of a kind of operation; empty if `kind` is none.
[[nodiscard]] std::string_view operation_name(std::size_t kind) noexcept;

}  // namespace larder::stress
