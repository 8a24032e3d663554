// SPDX-License-Identifier: MIT
#include "os/signals.hpp"

namespace larder::os {

// Windows sends no signals to threads. A handler of Ctrl-C runs in a thread of its own.
AllSignalsBlocked::AllSignalsBlocked() noexcept : before_{} {}

AllSignalsBlocked::~AllSignalsBlocked() = default;

}  // namespace larder::os
