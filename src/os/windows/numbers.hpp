// SPDX-License-Identifier: MIT
// Errors of Win32 that the headers of mingw-w64 lack, with the names and numbers of [MS-ERREF] 2.2.
#pragma once

namespace larder::os::windows {

inline constexpr int error_directory_not_supported = 336;
inline constexpr int error_no_such_device = 433;
inline constexpr int error_stopped_on_symlink = 681;
inline constexpr int error_block_too_many_references = 347;
inline constexpr int error_disk_quota_exceeded = 1295;
inline constexpr int error_reparse_point_encountered = 4395;

}  // namespace larder::os::windows
