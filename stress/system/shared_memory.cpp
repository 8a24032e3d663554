// SPDX-License-Identifier: MIT
#include "stress/system/shared_memory.hpp"

#include <sys/mman.h>

#include <cstdlib>

namespace larder::stress {

void* map_shared_memory(std::size_t size) noexcept {
    void* const memory =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    return memory;
}

void unmap_shared_memory(void* memory, std::size_t size) noexcept { ::munmap(memory, size); }

}  // namespace larder::stress
