// SPDX-License-Identifier: MIT
#include "support/failing_memory.h"

#include <atomic>
#include <cerrno>
#include <cstddef>

// glibc's own allocators. The program's allocators stand above them.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* old, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}

namespace {

// Nothing here may allocate, or be constructed when the program starts.
constinit std::atomic<long> left{-1};  // allocations that succeed; negative: all
constinit std::atomic<long> failed{0};
constinit std::atomic<bool> goes_on{false};

bool may_allocate() {
    for (long seen = left.load(); seen >= 0;) {
        const long next = seen > 0 ? seen - 1 : (goes_on.load() ? 0 : -1);
        if (!left.compare_exchange_weak(seen, next)) continue;
        if (seen > 0) return true;
        ++failed;
        errno = ENOMEM;
        return false;
    }
    return true;
}

}  // namespace

void failing_memory_begin(long successes, failing_memory_mode mode) {
    failed = 0;
    goes_on = mode == FAIL_FROM_NOW;
    left = successes;
}

long failing_memory_end(void) {
    left = -1;
    return failed;
}

extern "C" {

void* malloc(std::size_t size) { return may_allocate() ? __libc_malloc(size) : nullptr; }

void* calloc(std::size_t count, std::size_t size) {
    return may_allocate() ? __libc_calloc(count, size) : nullptr;
}

void* realloc(void* old, std::size_t size) {
    return may_allocate() ? __libc_realloc(old, size) : nullptr;
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    return may_allocate() ? __libc_memalign(alignment, size) : nullptr;
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    if (!may_allocate()) return ENOMEM;
    *memory = __libc_memalign(alignment, size);
    return *memory != nullptr ? 0 : ENOMEM;
}
}
