// SPDX-License-Identifier: MIT
// Owns a file or directory that is open.
#pragma once

#include <cstdint>
#include <utility>

namespace larder::os {

/// An open file or directory. The destructor closes it.
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

    [[nodiscard]] Native native() const noexcept { return native_; }
    [[nodiscard]] explicit operator bool() const noexcept { return native_ != none; }
    /// Returns the system's handle, and no longer closes it.
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
