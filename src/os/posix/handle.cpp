// SPDX-License-Identifier: MIT
#include "os/handle.hpp"

#include <unistd.h>

namespace larder::os {

// Linux closes the descriptor even if the call fails with EINTR. A second call could close a
// descriptor of the same number that another thread has opened meanwhile, so there is none.
void FileHandle::close(Native native) noexcept { ::close(static_cast<int>(native)); }

}  // namespace larder::os
