// SPDX-License-Identifier: MIT
#include "cachetool/system/environment.hpp"

#include <cstdlib>

#include "cachetool/system/posix/last_error.hpp"

namespace cachetool::system {

std::optional<std::string> environment_variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

std::error_code set_environment_variable(const char* name, const std::string& value) {
    return error_unless_zero(::setenv(name, value.c_str(), 1));
}

std::optional<std::filesystem::path> user_cache_directory() {
    if (const auto home = environment_variable(user_cache_variable))
        return std::filesystem::path(*home) / ".cache";
    return std::nullopt;
}

const char* const user_cache_variable = "HOME";

}  // namespace cachetool::system
