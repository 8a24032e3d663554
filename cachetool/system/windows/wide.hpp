// SPDX-License-Identifier: MIT
// What the calls of Win32 take and give: texts of 16-bit units, paths, handles. For the sources of
// this folder alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <windows.h>

namespace cachetool::system::windows {

/// Returns the 16-bit units of a text. One that is not UTF-8 becomes "*", which no file is called.
[[nodiscard]] std::wstring wide(std::string_view text);
/// Returns the UTF-8 of such units. One half of a surrogate pair is kept, as the library keeps it.
[[nodiscard]] std::string narrow(std::wstring_view text);

/// Returns a path in the form that all calls take, however long it is: absolute, and behind "\\?\".
[[nodiscard]] std::wstring long_path(const std::filesystem::path& path);

/// A handle that is closed at the end. INVALID_HANDLE_VALUE and null are none.
class ScopedHandle {
public:
    ScopedHandle() = default;
    explicit ScopedHandle(HANDLE handle) noexcept
        : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
    ScopedHandle(ScopedHandle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    ScopedHandle& operator=(ScopedHandle&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~ScopedHandle() { close(); }

    [[nodiscard]] explicit operator bool() const noexcept { return handle_ != nullptr; }
    [[nodiscard]] HANDLE get() const noexcept { return handle_; }
    [[nodiscard]] HANDLE release() noexcept { return std::exchange(handle_, nullptr); }
    void close() noexcept {
        if (handle_ != nullptr) ::CloseHandle(std::exchange(handle_, nullptr));
    }

private:
    HANDLE handle_ = nullptr;
};

inline constexpr DWORD share_all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

/// Opens what stands at a path, a link itself, and shares it with every other use. Leaves the error
/// of a failure to last_error.
[[nodiscard]] ScopedHandle open_itself(const std::filesystem::path& path, DWORD access);

/// Handles as the headers of cachetool/system keep them.
[[nodiscard]] inline HANDLE handle_of(std::intptr_t file) noexcept {
    return reinterpret_cast<HANDLE>(file);
}
inline void close(std::intptr_t file) noexcept {
    if (handle_of(file) != INVALID_HANDLE_VALUE) ::CloseHandle(handle_of(file));
}
/// Opens a file for reading and writing, or makes it. Returns INVALID_HANDLE_VALUE after a failure.
[[nodiscard]] std::intptr_t open_or_make(const std::filesystem::path& path);

}  // namespace cachetool::system::windows
