/* SPDX-License-Identifier: MIT */
/* A file system whose locks know only the lower 32 bits of an offset, as NFS version 2 does:
 * LD_PRELOAD this library, and set NARROW_LOCKS to `refuse`, so that a lock of a higher byte fails
 * with EOVERFLOW, or to `cut`, so that the higher bits are left out. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <dlfcn.h>
#include <stdarg.h>

static int is_for_a_lock(int command) {
    return command == F_SETLK || command == F_SETLKW || command == F_GETLK ||
           command == F_OFD_SETLK || command == F_OFD_SETLKW || command == F_OFD_GETLK;
}

static int call(const char* name, int file, int command, void* argument) {
    int (*const real)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, name);
    const char* const how = getenv("NARROW_LOCKS");
    struct flock lock;
    int result;
    if (how == NULL || !is_for_a_lock(command)) return real(file, command, argument);
    lock = *(struct flock*)argument;
    if (lock.l_start >> 32 != 0) {
        if (strcmp(how, "refuse") == 0) {
            errno = EOVERFLOW;
            return -1;
        }
        lock.l_start &= 0xffffffff;
    }
    result = real(file, command, &lock);
    ((struct flock*)argument)->l_type = lock.l_type;
    return result;
}

#define WRAP(name)                                   \
    int name(int file, int command, ...) {           \
        va_list arguments;                           \
        void* argument;                              \
        va_start(arguments, command);                \
        argument = va_arg(arguments, void*);         \
        va_end(arguments);                           \
        return call(#name, file, command, argument); \
    }

WRAP(fcntl)
WRAP(fcntl64)
