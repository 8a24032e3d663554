// SPDX-License-Identifier: MIT
// Owns something that the system has opened.
#pragma once

#include <cstdint>
#include <utility>

namespace larder::os {

/// An open file or directory. It is closed when its owner goes.
class FileHandle {
public:
    /// Wide enough for a descriptor of POSIX and for a HANDLE of Windows. Code above os/ does not
    /// look at it.
    using Native = std::intptr_t;

    FileHandle() = default;
    explicit FileHandle(Native native) noexcept : native_(native) {}
    FileHandle(FileHandle&& other) noexcept : native_(std::exchange(other.native_, none)) {}
    FileHandle& operator=(FileHandle&& other) noexcept {
        std::swap(native_, other.native_);
        return *this;
    }
    ~FileHandle() { reset(); }

    [[nodiscard]] Native native() const noexcept { return native_; }
    [[nodiscard]] explicit operator bool() const noexcept { return native_ != none; }
    /// Gives it up without closing it.
    [[nodiscard]] Native release() noexcept { return std::exchange(native_, none); }
    void reset() noexcept {
        if (native_ != none) close(std::exchange(native_, none));
    }

private:
    static void close(Native native) noexcept;

    static constexpr Native none = -1;
    Native native_ = none;
};

}  // namespace larder::os
