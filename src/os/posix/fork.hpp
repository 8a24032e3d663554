// SPDX-License-Identifier: MIT
// What a forked child must not inherit.
#pragma once

namespace larder::os {

/// Calls these functions at each fork: the first one before it, and the other two after it in the
/// parent and in the child. A null function is not called.
void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

/// Returns `size` zero bytes that are never freed. In a forked child they are zero again: the child
/// calls `wipe` at a fork. If the kernel can, it wipes them, even if the child was made by clone(2)
/// and not by fork.
[[nodiscard]] void* memory_wiped_in_child(unsigned long size, void (*wipe)()) noexcept;

}  // namespace larder::os
