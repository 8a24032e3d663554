// SPDX-License-Identifier: MIT
// Renames, each of which is atomic unless it says otherwise.
#pragma once

#include <string>

#include "os/dir.hpp"

namespace larder::os {

/// Renames to a name that must be free: fails with Why::exists if it is taken. If the system has no
/// such rename, the check comes first and the whole is not atomic: that is good enough for a fresh
/// name, which no other process draws.
[[nodiscard]] Result<> rename_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                                  const std::string& to);
/// Does the same, and never checks first: it fails with `unsupported` instead.
[[nodiscard]] Result<> rename_new_atomic(const Dir& from_dir, const std::string& from,
                                         const Dir& to_dir, const std::string& to);
/// Renames, and replaces a file or symlink that stands at `to`.
[[nodiscard]] Result<> rename_replacing(const Dir& dir, const std::string& from,
                                        const std::string& to);
/// Renames a directory, at a path that a caller gave, onto `to`, which may be an empty directory.
/// Fails with Why::not_empty or Why::exists if it is not empty.
[[nodiscard]] Result<> rename_dir(const std::filesystem::path& from, const Dir& to_dir,
                                  const std::string& to);
/// Exchanges two names that exist. Fails with `unsupported` if the system or the file system can't.
/// Fails with Why::interrupted if a signal came between, and the caller has to look whether the
/// names were exchanged.
[[nodiscard]] Result<> exchange(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                                const std::string& to);

}  // namespace larder::os
