// SPDX-License-Identifier: MIT
// Memory that a process shares with all processes that it forks.
#pragma once

#include <cstddef>
#include <memory>
#include <new>

namespace larder::stress {

/// Maps zeroed memory. Ends the program if there is none.
[[nodiscard]] void* map_shared_memory(std::size_t size) noexcept;
void unmap_shared_memory(void* memory, std::size_t size) noexcept;

template <class T>
struct SharedMemoryDeleter {
    void operator()(T* object) const noexcept { unmap_shared_memory(object, sizeof(T)); }
};
/// Owns an object in shared memory. Its destructor is never called, so it has to be trivial.
template <class T>
using SharedPointer = std::unique_ptr<T, SharedMemoryDeleter<T>>;

/// Makes an object that this process shares with every process that it forks from now on.
template <class T>
[[nodiscard]] SharedPointer<T> make_shared_object() {
    return SharedPointer<T>(new (map_shared_memory(sizeof(T))) T{});
}

}  // namespace larder::stress
