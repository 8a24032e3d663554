// SPDX-License-Identifier: MIT
#include "cachetool/system/environment.hpp"

#include "cachetool/system/path_text.hpp"
#include "cachetool/system/windows/last_error.hpp"
#include "cachetool/system/windows/wide.hpp"

namespace cachetool::system {

std::optional<std::string> environment_variable(const char* name) {
    const auto wide_name = windows::wide(name);
    // Without room, the call returns how much it needs, the zero at the end included.
    const DWORD size = ::GetEnvironmentVariableW(wide_name.c_str(), nullptr, 0);
    if (size <= 1) return std::nullopt;
    std::wstring value(size, L'\0');
    value.resize(::GetEnvironmentVariableW(wide_name.c_str(), value.data(), size));
    return windows::narrow(value);
}

std::error_code set_environment_variable(const char* name, const std::string& value) {
    return error_unless(
        ::SetEnvironmentVariableW(windows::wide(name).c_str(), windows::wide(value).c_str()));
}

std::optional<std::filesystem::path> user_cache_directory() {
    if (const auto local = environment_variable(user_cache_variable)) return path_of(*local);
    return std::nullopt;
}

const char* const user_cache_variable = "LOCALAPPDATA";

}  // namespace cachetool::system
