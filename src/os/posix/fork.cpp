// SPDX-License-Identifier: MIT
#include "os/posix/fork.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <cstdlib>

namespace larder::os {

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
    ::pthread_atfork(before, in_parent, in_child);
}

void* memory_wiped_in_child(unsigned long size, void (*wipe)()) noexcept {
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();  // out of memory
#ifdef MADV_WIPEONFORK
    if (::madvise(memory, size, MADV_WIPEONFORK) == 0) return memory;
#endif
    at_fork(nullptr, nullptr, wipe);
    return memory;
}

}  // namespace larder::os
