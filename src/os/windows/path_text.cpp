// SPDX-License-Identifier: MIT
#include "os/path_text.hpp"

#include "os/windows/utf16.hpp"

namespace larder::os {

std::string text_of(const std::filesystem::path& path) {
    std::string text;
    windows::append_utf8<wchar_t>(text, path.native());
    return text;
}

std::filesystem::path path_of(std::string_view text) {
    std::wstring units(text.size(), L'\0');  // UTF-16 has no more units than UTF-8 has bytes
    const auto size = windows::to_utf16(text, units.data(), units.size());
    // A name never has an asterisk.
    if (!size) return L"*";
    units.resize(*size);
    return units;
}

}  // namespace larder::os
