// SPDX-License-Identifier: MIT
// Numbers that no other process has, not even a forked child.
#pragma once

#include <cstdint>

namespace larder::os {

/// Returns a random number, not zero, that no other process has: not a forked child, and not the
/// next program after an exec. An object that owns something on the disk keeps the token of the
/// process that made it, and so can tell that it is in a forked child. Costs one load from memory
/// (in a child the kernel wipes the page that holds it).
[[nodiscard]] std::uint64_t process_token() noexcept;

/// A 12-byte number that is drawn once in all processes: the token and a counter.
struct Unique {
    std::uint64_t random;
    std::uint32_t counter;
};
[[nodiscard]] Unique draw_unique() noexcept;

}  // namespace larder::os
