/* SPDX-License-Identifier: MIT */
/* A clock that lies: LD_PRELOAD this library, and set LYING_CLOCK to the seconds that it adds to
 * the time of day, or LYING_BOOT_CLOCK to those that it adds to the time since the machine started.
 * As faketime does, it also changes the present time that a program gives a file. */
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/time.h>

#include <dlfcn.h>
#include <time.h>

static time_t lie_of(const char* variable) {
    const char* const text = getenv(variable);
    return text != NULL ? (time_t)strtoll(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec* now) {
    int (*const real)(clockid_t, struct timespec*) =
        (int (*)(clockid_t, struct timespec*))dlsym(RTLD_NEXT, "clock_gettime");
    const int result = real(clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += lie_of("LYING_CLOCK");
    if (result == 0 && clock == CLOCK_BOOTTIME) now->tv_sec += lie_of("LYING_BOOT_CLOCK");
    return result;
}

time_t time(time_t* place) {
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    if (place != NULL) *place = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval* restrict now, void* restrict zone) {
    struct timespec exact = {0, 0};
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

int utimensat(int directory, const char* name, const struct timespec times[2], int flags) {
    int (*const real)(int, const char*, const struct timespec[2], int) =
        (int (*)(int, const char*, const struct timespec[2], int))dlsym(RTLD_NEXT, "utimensat");
    struct timespec told[2] = {{0, UTIME_NOW}, {0, UTIME_NOW}};
    int i;
    for (i = 0; i < 2; ++i) {
        if (times != NULL) told[i] = times[i];
        if (told[i].tv_nsec == UTIME_NOW) (void)clock_gettime(CLOCK_REALTIME, &told[i]);
    }
    return real(directory, name, told, flags);
}
