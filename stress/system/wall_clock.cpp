// SPDX-License-Identifier: MIT
#include "stress/system/wall_clock.hpp"

#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <dlfcn.h>
#include <time.h>

namespace larder::stress {

namespace {

constexpr std::int64_t billion = 1'000'000'000;

std::atomic<const std::atomic<std::int64_t>*> offset_of_run{nullptr};

using ClockGettime = int (*)(clockid_t, timespec*);

/// Calls the function of the C library, which needs no system call. It is looked up once.
int true_time(clockid_t clock, timespec* time) noexcept {
    static const auto system = reinterpret_cast<ClockGettime>(::dlsym(RTLD_NEXT, "clock_gettime"));
    return system != nullptr ? system(clock, time)
                             : static_cast<int>(::syscall(SYS_clock_gettime, clock, time));
}

int wrong_time(clockid_t clock, timespec* time) noexcept {
    const int result = true_time(clock, time);
    const auto* offset = offset_of_run.load(std::memory_order_relaxed);
    if (result != 0 || offset == nullptr ||
        (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return result;
    const std::int64_t nanos =
        time->tv_sec * billion + time->tv_nsec + offset->load(std::memory_order_relaxed);
    time->tv_sec = nanos / billion;
    time->tv_nsec = nanos % billion;
    return 0;
}

}  // namespace

void follow_clock(const std::atomic<std::int64_t>* offset) noexcept { offset_of_run = offset; }

}  // namespace larder::stress

extern "C" {

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, timespec* time) noexcept {
    return larder::stress::wrong_time(clock, time);
}

__attribute__((visibility("default"))) int gettimeofday(timeval* time, void*) noexcept {
    timespec now{};
    const int result = larder::stress::wrong_time(CLOCK_REALTIME, &now);
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return result;
}

__attribute__((visibility("default"))) time_t time(time_t* result) noexcept {
    timespec now{};
    (void)larder::stress::wrong_time(CLOCK_REALTIME, &now);
    if (result != nullptr) *result = now.tv_sec;
    return now.tv_sec;
}

}  // extern "C"
