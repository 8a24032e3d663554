// SPDX-License-Identifier: MIT
// Numbers that no other process draws, not even a forked child.
#pragma once

#include <cstdint>

#include "os/error.hpp"

namespace larder::os {

/// Draws the token of this process if it has none yet. Fails if the system refuses to give a random
/// number. Call it once before the process works in a cache: the functions below return no error.
[[nodiscard]] Result<> draw_token();

/// Returns the token of this process: a random number that is not zero. A forked child has another
/// token, and so has the program that follows after an execve. An object that owns something on the
/// disk keeps the token of the process that made it, and so can tell that it is in a forked child.
/// Costs one load from memory, because the kernel wipes the page of the token in a forked child.
[[nodiscard]] std::uint64_t process_token() noexcept;

/// A number of 12 bytes, made of the token and a counter. No two processes draw the same one, and
/// no process draws one twice.
struct Unique {
    std::uint64_t random;
    std::uint32_t counter;
};
/// Returns a new number. Costs one atomic addition.
[[nodiscard]] Unique draw_unique() noexcept;

}  // namespace larder::os
