// SPDX-License-Identifier: MIT
#include "os/posix/fork.hpp"

#include <pthread.h>
#include <sys/mman.h>

#include <cstring>
#include <new>

#include "os/posix/fd.hpp"

namespace larder::os {

void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept {
    ::pthread_atfork(before, in_parent, in_child);
}

void* memory_wiped_in_child(unsigned long size, void (*wipe)()) noexcept {
    void* memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
#ifdef MADV_WIPEONFORK
    if (memory != MAP_FAILED) (void)retry([&] { return ::madvise(memory, size, MADV_WIPEONFORK); });
#endif
    // If the kernel has mapped no memory, any other memory will do. (This function is called before
    // main. If there is no memory either, the program ends.)
    if (memory == MAP_FAILED) {
        memory = ::operator new(size);
        std::memset(memory, 0, size);
    }
    // The child wipes it, too. A kernel may not know the advice, and an emulator of another
    // processor may accept it and not follow it.
    at_fork(nullptr, nullptr, wipe);
    return memory;
}

}  // namespace larder::os
