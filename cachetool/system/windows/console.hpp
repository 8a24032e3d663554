// SPDX-License-Identifier: MIT
// The console that a standard stream may lead to. For the sources of this folder alone.
#pragma once

#include <windows.h>

#include "cachetool/system/standard_streams.hpp"

namespace cachetool::system::windows {

[[nodiscard]] HANDLE stream_handle(StandardStream stream) noexcept;
[[nodiscard]] bool is_console(HANDLE stream) noexcept;

}  // namespace cachetool::system::windows
