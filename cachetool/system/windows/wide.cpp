// SPDX-License-Identifier: MIT
#include "cachetool/system/windows/wide.hpp"

#include "cachetool/system/path_text.hpp"
#include "src/os/windows/utf16.hpp"

namespace cachetool::system {

namespace windows {

std::wstring wide(std::string_view text) {
    std::wstring units(text.size(), L'\0');  // UTF-16 has no more units than UTF-8 has bytes
    const auto size = larder::os::windows::to_utf16(text, units.data(), units.size());
    if (!size) return L"*";
    units.resize(*size);
    return units;
}

std::string narrow(std::wstring_view text) {
    std::string bytes;
    larder::os::windows::append_utf8(bytes, text);
    return bytes;
}

std::wstring long_path(const std::filesystem::path& path) {
    const std::wstring& given = path.native();
    if (given.starts_with(L"\\\\?\\") || given.starts_with(L"\\\\.\\")) return given;
    // Not by the system's own call, which gives another meaning to names such as "aux.txt" and
    // "dot.".
    std::error_code error;
    const auto absolute = path.is_absolute() ? path : std::filesystem::current_path(error) / path;
    if (error) return given;
    const auto whole = absolute.lexically_normal().make_preferred().native();
    if (whole.starts_with(L"\\\\")) return L"\\\\?\\UNC" + whole.substr(1);
    return L"\\\\?\\" + whole;
}

ScopedHandle open_itself(const std::filesystem::path& path, DWORD access) {
    constexpr DWORD flags = FILE_FLAG_OPEN_REPARSE_POINT | FILE_FLAG_BACKUP_SEMANTICS;
    return ScopedHandle(::CreateFileW(long_path(path).c_str(), access, share_all, nullptr,
                                      OPEN_EXISTING, flags, nullptr));
}

std::intptr_t open_or_make(const std::filesystem::path& path) {
    return reinterpret_cast<std::intptr_t>(
        ::CreateFileW(long_path(path).c_str(), GENERIC_READ | GENERIC_WRITE, share_all, nullptr,
                      OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, nullptr));
}

}  // namespace windows

std::string text_of(const std::filesystem::path& path) { return windows::narrow(path.native()); }

std::filesystem::path path_of(std::string_view text) { return windows::wide(text); }

}  // namespace cachetool::system
