// SPDX-License-Identifier: MIT
// Two ways to do the same thing, measured in turn in one run: what any implementation must do, and larder.
//
// A shared machine is noisy, and its noise lasts for longer than a round. Both sides of a contest take turns within each round, so it meets
// them alike, and the figure to read is the median of the rounds' ratios.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bench {

namespace fs = std::filesystem;

[[noreturn]] void give_up(const std::string& why);

/// What a process does again and again.
struct Worker {
    std::function<void()> call;
    std::function<void()> undo =
        nullptr;  ///< after each call, not timed. Without one the calls of a round are timed together
};

/// Makes a worker, in the process that is to be it, which is the `number`-th.
using Make = std::function<Worker(unsigned number)>;

struct Contest {
    std::string row;    ///< what is measured
    std::string floor;  ///< what it is measured against
    double goal;        ///< the ratio, larder over floor, to stay below
    unsigned calls;     ///< of each side, in each round
    Make bare;
    Make larder;
    bool alone = false;  ///< makes no sense with several processes
    std::function<void()> prepare =
        nullptr;  ///< makes what both sides find, in a process of its own
    fs::path own =
        {};  ///< what no other row uses: deleted when the row is done, as millions of files are in it
};

struct Outcome {
    std::string row, floor;
    double goal = 0;
    unsigned processes = 0;
    std::vector<double> bare, larder;  ///< microseconds for each call, by round
};

[[nodiscard]] double median(std::vector<double> values);
/// The value that a share of `part` is below.
[[nodiscard]] double quantile(std::vector<double> values, double part);
/// Larder's time over the floor's, by round.
[[nodiscard]] std::vector<double> ratios(const Outcome& outcome);

/// Requires: it is prepared.
[[nodiscard]] Outcome measure(const Contest& contest, unsigned processes, unsigned rounds);

void prepare(const Contest& contest);

/// Only one side, `calls` times, between two calls of getppid: for strace to count what it really does.
void trace(const Make& side, unsigned calls);

}  // namespace bench
