// SPDX-License-Identifier: MIT
// Descriptors, and a loop for calls that a signal may interrupt.
#pragma once

#include <cerrno>

#include "os/handle.hpp"

namespace larder::os {

/// A FileHandle that is made of a descriptor. It adds no member, so it may become a FileHandle.
class Fd : public FileHandle {
public:
    Fd() = default;
    /// Takes the descriptor over. A negative number means that there is none.
    explicit Fd(int fd) noexcept : FileHandle(fd < 0 ? Native{-1} : Native{fd}) {}

    /// Returns the descriptor; -1 if there is none.
    [[nodiscard]] int get() const noexcept { return static_cast<int>(native()); }
    /// Returns the descriptor, and no longer closes it.
    [[nodiscard]] int release() noexcept { return static_cast<int>(FileHandle::release()); }
};

/// Returns the descriptor of a handle, which keeps it; -1 if there is none.
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
///   - The making of a new directory has succeeded if its name is taken by an empty directory, and
///     that of a new file if it is taken by an empty file with this one name. Nothing shows that
///     this call has made it, and nothing is lost if another one has.
///
/// `interrupted` tells the caller that a second call was made, so that these rules apply.
///
/// The call is given up after max_interruptions, and then fails with EINTR. Otherwise a file system
/// that always answers so would stop this process for good.
template <class Call>
auto retry(Call call, bool& interrupted) {
    // Arbitrary: a call during which so many signals come will not end on its own.
    constexpr int max_interruptions = 1000;
    interrupted = false;
    for (int interruptions = 0;; ++interruptions) {
        const auto result = call();
        if (result != -1 || errno != EINTR || interruptions == max_interruptions) return result;
        interrupted = true;
    }
}

/// Does the same, for a call that changes no names.
template <class Call>
auto retry(Call call) {
    bool interrupted = false;
    return retry(call, interrupted);
}

}  // namespace larder::os
