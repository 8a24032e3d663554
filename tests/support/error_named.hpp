// SPDX-License-Identifier: MIT
// Finds an error by its name, for the tools that refuse calls.
#pragma once

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>

/// Returns the number of an error such as "EACCES"; nullopt if Linux has no error of this name.
inline std::optional<int> error_named(std::string_view name) {
    if (name == "EOPNOTSUPP" || name == "ENOTSUP") return EOPNOTSUPP;
    constexpr int last_error = 133;  // of Linux
    for (int error = 1; error <= last_error; ++error) {
        const char* const known = ::strerrorname_np(error);
        if (known != nullptr && name == known) return error;
    }
    return std::nullopt;
}
