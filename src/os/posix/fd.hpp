// SPDX-License-Identifier: MIT
// Descriptors, and the wrapper through which every call goes that a signal may interrupt.
#pragma once

#include <cerrno>

#include "os/handle.hpp"

namespace larder::os {

/// A FileHandle that is made of a descriptor.
class Fd : public FileHandle {
public:
    Fd() = default;
    /// Takes the descriptor over; a negative one is none.
    explicit Fd(int fd) noexcept : FileHandle(fd < 0 ? Native{-1} : Native{fd}) {}

    [[nodiscard]] int get() const noexcept { return static_cast<int>(native()); }
    [[nodiscard]] int release() noexcept { return static_cast<int>(FileHandle::release()); }
};

[[nodiscard]] inline int fd_of(const FileHandle& handle) noexcept {
    return static_cast<int>(handle.native());
}

/// Makes a call again as long as a signal interrupts it. Returns what the call returned last, and
/// leaves its errno. Local file systems interrupt few calls; FUSE and CIFS may interrupt any.
///
/// If a call that changes names is interrupted, it may have happened all the same, and the second
/// try then meets its own work. Such calls do the following:
///   - a removal that finds nothing at its second try has succeeded;
///   - a rename without replacing that finds its source gone, and its target there, has succeeded;
///   - a link that finds its name taken, by a link of the same text or to the same file, has
///     succeeded;
///   - an exchange is never made again, because that would undo it: its caller, who knows what the
///     names should be, looks at them;
///   - a directory or file that is to be new and finds its name taken reports `exists`: nobody can
///     tell whose it is.
template <class Call>
auto retry(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

/// Does the same, and says in `interrupted` whether the call was made more than once.
template <class Call>
auto retry(Call call, bool& interrupted) {
    interrupted = false;
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
        interrupted = true;
    }
}

}  // namespace larder::os
