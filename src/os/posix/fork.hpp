// SPDX-License-Identifier: MIT
// What a forked child must not inherit.
#pragma once

namespace larder::os {

/// Calls the functions around each fork: before it, and after it in the parent and in the child. A
/// null one is not called.
void at_fork(void (*before)(), void (*in_parent)(), void (*in_child)()) noexcept;

/// Returns `size` zero bytes of which a forked child sees zeros again, wiped by the kernel (also
/// after a raw clone). If the kernel can't, `wipe` is called in the child. They are never freed.
[[nodiscard]] void* memory_wiped_in_child(unsigned long size, void (*wipe)()) noexcept;

}  // namespace larder::os
