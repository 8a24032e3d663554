// SPDX-License-Identifier: MIT
// A thread that larder starts must not receive the program's signals. It inherits the signal mask
// of the thread that starts it, so that thread blocks all signals meanwhile.
#pragma once

#include <array>
#include <cstddef>

namespace larder::os {

/// Blocks all signals of this thread until the destructor, which must run in the same thread.
class AllSignalsBlocked {
public:
    AllSignalsBlocked() noexcept;
    ~AllSignalsBlocked();
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

private:
    /// The mask that the thread had before, in the system's own form. The largest form is glibc's,
    /// with 128 bytes.
    alignas(std::max_align_t) std::array<std::byte, 128> before_;
};

}  // namespace larder::os
