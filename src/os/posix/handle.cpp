// SPDX-License-Identifier: MIT
#include "os/handle.hpp"

#include <unistd.h>

namespace larder::os {

// Linux closes the descriptor even if the call fails with EINTR. So the call is not made again.
void FileHandle::close(Native native) noexcept { ::close(static_cast<int>(native)); }

}  // namespace larder::os
