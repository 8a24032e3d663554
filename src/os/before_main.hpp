// SPDX-License-Identifier: MIT
// Makes static objects before main, and so before any fork. Otherwise a fork could happen while
// another thread initializes a static object of a function. The child does not have that thread,
// and would wait for it forever at its own first call of the function.
#pragma once

namespace larder::os {

/// Calls `make` and returns true. Initialize a constant at namespace scope with it:
/// `const bool made = os::before_main([] {…});`
template <class Make>
[[nodiscard]] bool before_main(Make make) {
    (void)make();
    return true;
}

}  // namespace larder::os
