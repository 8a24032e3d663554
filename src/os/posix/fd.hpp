// SPDX-License-Identifier: MIT
// Descriptors, and a loop for calls that a signal may interrupt.
#pragma once

#include <cerrno>

#include "os/handle.hpp"

namespace larder::os {

/// A FileHandle that is made of a descriptor.
class Fd : public FileHandle {
public:
    Fd() = default;
    /// Takes the descriptor over. A negative number means that there is none.
    explicit Fd(int fd) noexcept : FileHandle(fd < 0 ? Native{-1} : Native{fd}) {}

    [[nodiscard]] int get() const noexcept { return static_cast<int>(native()); }
    [[nodiscard]] int release() noexcept { return static_cast<int>(FileHandle::release()); }
};

[[nodiscard]] inline int fd_of(const FileHandle& handle) noexcept {
    return static_cast<int>(handle.native());
}

/// Makes a call again as long as a signal interrupts it. Returns what the last call returned, and
/// leaves its errno. Local file systems interrupt few calls; FUSE and CIFS may interrupt any.
///
/// A call that changes names may have succeeded although a signal interrupted it. Then the second
/// call finds what the first one has done. These are the rules for such calls:
///   - A removal has succeeded if the second call finds nothing to remove.
///   - A rename has succeeded if the source is gone and the target is there.
///   - The making of a link has succeeded if its name is taken by a link with the same text, or by
///     a link to the same file.
///   - An exchange is never made again, because that would undo it. The caller looks at the names,
///     because the caller knows what they should be.
///   - The making of a new directory or file fails with `exists` if the name is taken, because
///     nothing shows whether this call has made it.
template <class Call>
auto retry(Call call) {
    for (;;) {
        const auto result = call();
        if (result != -1 || errno != EINTR) return result;
    }
}

/// Does the same, and sets `interrupted` if the call was made more than once.
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
