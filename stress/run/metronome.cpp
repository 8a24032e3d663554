#include <algorithm>
#include <ctime>
#include <stress/run/metronome.hpp>
#include <thread>

namespace larder::stress {

namespace {

using std::chrono::nanoseconds;

/// Long enough that it takes several turns among those who want the same processor.
constexpr nanoseconds work{10'000'000};

nanoseconds time_of(clockid_t clock) {
    timespec time{};
    ::clock_gettime(clock, &time);
    return std::chrono::seconds(time.tv_sec) + nanoseconds(time.tv_nsec);
}

}  // namespace

void beat(Board& board) {
    while (!board.ending) {
        const auto begun = time_of(CLOCK_MONOTONIC), worked = time_of(CLOCK_THREAD_CPUTIME_ID);
        while (time_of(CLOCK_THREAD_CPUTIME_ID) - worked < work) {
        }
        const auto stretch = static_cast<std::uint64_t>((time_of(CLOCK_MONOTONIC) - begun) / work);
        board.stretch = std::max(board.stretch.load(), stretch);
        for (int i = 0; i < 10 && !board.ending; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
}

std::chrono::nanoseconds slowest_second(const Board& board) { return std::chrono::seconds(board.stretch.load()); }

}  // namespace larder::stress
