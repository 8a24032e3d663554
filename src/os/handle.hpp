// SPDX-License-Identifier: MIT
// Owns a file or directory that is open.
#pragma once

#include <cstdint>
#include <utility>

namespace larder::os {

/// An open file or directory, or none. Owns it: the destructor closes it. An object that was moved
/// from has none, or what the other object had.
class FileHandle {
public:
    /// The system's own handle. It is wide enough for a descriptor of POSIX and for a HANDLE of
    /// Windows. Code outside os/ does not use it.
    using Native = std::intptr_t;

    FileHandle() = default;
    explicit FileHandle(Native native) noexcept : native_(native) {}
    FileHandle(FileHandle&& other) noexcept : native_(std::exchange(other.native_, none)) {}
    FileHandle& operator=(FileHandle&& other) noexcept {
        std::swap(native_, other.native_);
        return *this;
    }
    ~FileHandle() { reset(); }

    /// Returns the system's handle, which stays open as long as this object has it.
    [[nodiscard]] Native native() const noexcept { return native_; }
    [[nodiscard]] explicit operator bool() const noexcept { return native_ != none; }
    /// Returns the system's handle, and no longer closes it.
    [[nodiscard]] Native release() noexcept { return std::exchange(native_, none); }
    /// Closes the file now.
    void reset() noexcept {
        if (native_ != none) close(std::exchange(native_, none));
    }

private:
    static void close(Native native) noexcept;

    static constexpr Native none = -1;
    Native native_ = none;  // owned
};

}  // namespace larder::os
