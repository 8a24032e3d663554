// SPDX-License-Identifier: MIT
// Signals are for the program's own threads. A thread that larder starts inherits the mask of the
// thread that starts it, and must take none.
#pragma once

#include <array>
#include <cstddef>

namespace larder::os {

/// Blocks all signals of this thread until the end of the scope, however that is left.
class AllSignalsBlocked {
public:
    AllSignalsBlocked() noexcept;
    ~AllSignalsBlocked();
    AllSignalsBlocked(const AllSignalsBlocked&) = delete;
    AllSignalsBlocked& operator=(const AllSignalsBlocked&) = delete;

private:
    /// The mask before, in the system's own form. glibc's has 128 bytes, which is the largest.
    alignas(std::max_align_t) std::array<std::byte, 128> before_;
};

}  // namespace larder::os
