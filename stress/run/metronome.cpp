// SPDX-License-Identifier: MIT
#include "stress/run/metronome.hpp"

#include <algorithm>
#include <fstream>
#include <thread>

#include "stress/run/stall.hpp"
#include "stress/system/clock.hpp"

namespace larder::stress {

namespace {

using std::chrono::nanoseconds;

/// Long enough for several turns among the processes that want the same processor.
constexpr nanoseconds work{10'000'000};
/// The rest of a beat is slept in parts, so that the metronome ends soon after it is asked to.
constexpr int naps = 5;
constexpr nanoseconds nap = (nanoseconds(usual_beat) - work) / naps;

/// Computes for a while. Returns how many times longer that took.
std::uint64_t measure_work() {
    const auto begun = monotonic_now();
    const auto worked = thread_processor_time();
    while (thread_processor_time() - worked < work) {
    }
    return static_cast<std::uint64_t>(nanoseconds(monotonic_now() - begun) / work);
}

/// Does a little of what the others do on the disk. Only the time matters; it may fail on a full
/// disk.
void touch_disk(const std::filesystem::path& directory) {
    const auto made = directory / "made", renamed = directory / "renamed";
    std::error_code ignored;
    std::filesystem::create_directory(directory, ignored);
    std::ofstream(made) << "beat";
    std::filesystem::rename(made, renamed, ignored);
    std::filesystem::remove(renamed, ignored);
    std::filesystem::remove(made, ignored);
    std::filesystem::remove(directory, ignored);
}

}  // namespace

void beat(SharedBoard& board, HistoryLog& log, std::uint32_t process,
          const std::filesystem::path& scratch) {
    // Each beat begins when the one before has ended, so that a stall between two beats counts too.
    for (Interval beat{monotonic_now(), 0}; !board.ending; beat.from = beat.to) {
        for (int i = 0; i < naps && !board.ending; ++i) std::this_thread::sleep_for(nap);
        board.stretch = std::max(board.stretch.load(), measure_work());
        touch_disk(scratch / "metronome");
        beat.to = monotonic_now();
        const auto events = events_of_beat(process, beat);
        if (events.empty()) continue;
        for (const auto& event : events) log.append_at(event, event.time);
        board.stalled += beat.to - beat.from;
        board.longest_stall = std::max(board.longest_stall.load(), beat.to - beat.from);
    }
}

std::chrono::nanoseconds slowest_work(const SharedBoard& board) {
    return board.stretch.load() * work;
}

std::chrono::nanoseconds slowest_second(const SharedBoard& board) {
    return std::chrono::seconds(board.stretch.load());
}

}  // namespace larder::stress
