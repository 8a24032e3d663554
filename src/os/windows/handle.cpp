// SPDX-License-Identifier: MIT
#include "os/handle.hpp"

#include "os/windows/held_locks.hpp"
#include "os/windows/nt.hpp"

namespace larder::os {

void FileHandle::close(Native native) noexcept {
    // The system lets go of its locks with the handle. By then the number of the handle may belong
    // to another file.
    windows::forget_locks(native);
    ::CloseHandle(reinterpret_cast<HANDLE>(native));
}

}  // namespace larder::os
