// SPDX-License-Identifier: MIT
// Which locks the handles of this process have. Windows releases a lock only by its exact range,
// and has no call for all locks of a handle.
#pragma once

#include "os/handle.hpp"

namespace larder::os::windows {

/// Forgets the locks of a handle that is about to be closed.
void forget_locks(FileHandle::Native handle) noexcept;

}  // namespace larder::os::windows
