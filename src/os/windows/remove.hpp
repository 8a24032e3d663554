// SPDX-License-Identifier: MIT
// Deletes a name.
#pragma once

#include "os/dir.hpp"

namespace larder::os::windows {

enum class DeletedKind { file, directory };
/// Deletes a file or link, or an empty directory. Returns the system's error; 0 if there was none.
/// The name is gone when this returns, although other programs may have the file open: they go on
/// with it. A file system that cannot do that keeps the name until they close the file: FAT, and
/// ReFS before Windows 11.
[[nodiscard]] int remove_at(const Dir& parent, const std::string& name, DeletedKind what) noexcept;

}  // namespace larder::os::windows
