// SPDX-License-Identifier: MIT
// Makes something before main, and so before any fork: a child that is
// forked while another thread is within the first call of a function with a static would wait for
// that thread for ever.
#pragma once

namespace larder::os {

/// To be the initializer of a constant of a namespace: `const bool made = os::before_main([] {…});`
template <class Make>
[[nodiscard]] bool before_main(Make make) {
    (void)make();
    return true;
}

}  // namespace larder::os
