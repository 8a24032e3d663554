// SPDX-License-Identifier: MIT
// The environment's variables. Requires, for all: no other thread changes the environment.
#pragma once

#include <optional>
#include <string>
#include <system_error>

namespace cachetool::system {

/// Returns the variable's value, or nullopt if it is not set or empty.
[[nodiscard]] std::optional<std::string> environment_variable(const char* name);

/// Sets the variable for this process and the programs that it runs from now on.
[[nodiscard]] std::error_code set_environment_variable(const char* name, const std::string& value);

}  // namespace cachetool::system
