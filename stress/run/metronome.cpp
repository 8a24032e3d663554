// SPDX-License-Identifier: MIT
#include "stress/run/metronome.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <thread>

#include "os/fd.hpp"
#include "stress/run/stall.hpp"

namespace larder::stress {

namespace {

using std::chrono::nanoseconds;

/// Long enough that it takes several turns among those who want the same processor.
constexpr nanoseconds work{10'000'000};
/// The rest of a beat, in parts: whoever is asked to end does so within one.
constexpr int naps = 5;
constexpr nanoseconds nap = (nanoseconds(usual_beat) - work) / naps;

nanoseconds time_of(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

/// How many times longer than its work it took.
std::uint64_t measure_work() {
    const auto begun = time_of(CLOCK_MONOTONIC), worked = time_of(CLOCK_THREAD_CPUTIME_ID);
    while (time_of(CLOCK_THREAD_CPUTIME_ID) - worked < work) {
    }
    return static_cast<std::uint64_t>((time_of(CLOCK_MONOTONIC) - begun) / work);
}

/// A little of what the others do on the disk. How it ends does not matter, as on a full one, only how long it takes.
void touch_disk(const std::filesystem::path& directory) {
    const auto made = directory / "made", renamed = directory / "renamed";
    ::mkdir(directory.c_str(), 0700);
    if (const os::Fd fd(::open(made.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600)); fd)
        (void)!::write(fd.get(), "beat", 4);
    ::rename(made.c_str(), renamed.c_str());
    ::unlink(renamed.c_str());
    ::unlink(made.c_str());
    ::rmdir(directory.c_str());
}

}  // namespace

void beat(SharedBoard& board, HistoryLog& log, std::uint32_t process,
          const std::filesystem::path& scratch) {
    // Each begins where the one before has ended: a stall between two of them is one as well.
    for (Interval beat{HistoryLog::now(), 0}; !board.ending; beat.from = beat.to) {
        for (int i = 0; i < naps && !board.ending; ++i) std::this_thread::sleep_for(nap);
        board.stretch = std::max(board.stretch.load(), measure_work());
        touch_disk(scratch / "metronome");
        beat.to = HistoryLog::now();
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
