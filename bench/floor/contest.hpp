// SPDX-License-Identifier: MIT Measures two ways to do the same thing, in turn in one run: the
// calls that any implementation must make, and larder.
//
// A shared machine is noisy, and its noise lasts longer than a round. Both sides of a contest take
// turns within each round, so the noise disturbs them alike. The result is the median of the ratios
// of the rounds.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace bench {

namespace fs = std::filesystem;

[[noreturn]] void give_up(const std::string& why);

/// What a process repeats.
struct Worker {
    std::function<void()> call;
    /// Is called after each call, and not timed. Without it the calls of a round are timed
    /// together.
    std::function<void()> undo = nullptr;
};

/// Makes a worker in its process, which is the `number`-th.
using Make = std::function<Worker(unsigned number)>;

struct Contest {
    std::string row;    ///< what is measured
    std::string floor;  ///< what it is measured against
    double goal;        ///< the largest ratio of larder to the floor
    unsigned calls;     ///< for each side in each round
    Make bare;
    Make larder;
    bool alone = false;  ///< runs with one process only
    /// Prepares what both sides use, in a process of its own.
    std::function<void()> prepare = nullptr;
    /// A directory that no other row uses. It may hold millions of files, and is deleted after the
    /// row.
    fs::path own = {};
};

struct Outcome {
    std::string row, floor;
    double goal = 0;
    unsigned processes = 0;
    std::vector<double> bare, larder;  ///< microseconds of a call, for each round
};

[[nodiscard]] double median(std::vector<double> values);
/// Returns the value below which the share `part` of the values is.
[[nodiscard]] double quantile(std::vector<double> values, double part);
/// Returns larder's time divided by that of the floor, for each round.
[[nodiscard]] std::vector<double> ratios(const Outcome& outcome);

/// Requires: prepare() was called.
[[nodiscard]] Outcome measure(const Contest& contest, unsigned processes, unsigned rounds);

void prepare(const Contest& contest);

/// Calls one side `calls` times, each between two calls of getppid, so that strace can count its
/// system calls.
void trace(const Make& side, unsigned calls);

}  // namespace bench
