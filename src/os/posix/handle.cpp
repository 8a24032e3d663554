// SPDX-License-Identifier: MIT
#include "os/handle.hpp"

#include <unistd.h>

namespace larder::os {

// Linux closes the descriptor even if it says EINTR, so the call is not made again.
void FileHandle::close(Native native) noexcept { ::close(static_cast<int>(native)); }

}  // namespace larder::os
