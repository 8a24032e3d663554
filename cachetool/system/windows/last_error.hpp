// SPDX-License-Identifier: MIT
// For the sources of this folder alone.
#pragma once

#include <system_error>
#include <windows.h>

namespace cachetool::system {

/// Returns why the last call of Win32 failed.
[[nodiscard]] inline std::error_code last_error() {
    return {static_cast<int>(::GetLastError()), std::system_category()};
}

/// Returns no error if `done`, of a call of Win32, says success, or else why it failed.
[[nodiscard]] inline std::error_code error_unless(BOOL done) {
    return done ? std::error_code() : last_error();
}

}  // namespace cachetool::system
