// SPDX-License-Identifier: MIT
// The environment's variables. Requires, for all: no other thread changes the environment.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <system_error>

namespace cachetool::system {

/// Returns the variable's value, or nullopt if it is not set or empty.
[[nodiscard]] std::optional<std::string> environment_variable(const char* name);

/// Returns the directory in which this user's programs keep their caches, or nullopt if the
/// environment does not tell it: it is $HOME/.cache, and %LOCALAPPDATA% on Windows.
[[nodiscard]] std::optional<std::filesystem::path> user_cache_directory();
/// The variable that tells it.
extern const char* const user_cache_variable;

/// Sets the variable for this process and the programs that it runs from now on.
[[nodiscard]] std::error_code set_environment_variable(const char* name, const std::string& value);

}  // namespace cachetool::system
