// SPDX-License-Identifier: MIT
// Renames. Each one is atomic unless its comment says otherwise: at the new name, another process
// sees what stood there before or what was renamed, and nothing in between. After an error nothing
// was renamed.
#pragma once

#include <string>

#include "os/dir.hpp"

namespace larder::os {

/// Renames to a name that must be free. Fails with Why::exists if it is taken. If the system
/// refuses such a rename, this checks the name and then renames, which is not atomic. That is
/// enough for a fresh name, because no other process draws the same one.
[[nodiscard]] Result<> rename_new(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                                  const std::string& to);
/// Does the same, but on Windows does not wait for another program that is in the way, such as the
/// reader of a file below a directory. For a caller that holds a lock and comes again later.
[[nodiscard]] Result<> rename_new_at_once(const Dir& from_dir, const std::string& from,
                                          const Dir& to_dir, const std::string& to);
/// Does the same as rename_new for a directory. Fails with Why::not_directory or Errc::damaged, and
/// renames nothing, if something else stands at `from`, such as a symlink to a directory.
[[nodiscard]] Result<> rename_dir_new(const Dir& from_dir, const std::string& from,
                                      const Dir& to_dir, const std::string& to);
/// Does the same as rename_new, but fails with Errc::unsupported if the system refuses such a
/// rename.
[[nodiscard]] Result<> rename_new_atomic(const Dir& from_dir, const std::string& from,
                                         const Dir& to_dir, const std::string& to);
/// Renames a file or symlink, and replaces one that stands at `to`. Does nothing if both are names
/// of one file: then both stay. On Windows it waits for half a second if a program has the file at
/// `to` open and the file system does not allow that, and then fails with Errc::busy.
[[nodiscard]] Result<> rename_replacing(const Dir& from_dir, const std::string& from,
                                        const Dir& to_dir, const std::string& to);
/// Renames the directory at a path that a caller gave to `to`. An empty directory that stands at
/// `to` is replaced; on Windows it is removed first, so that for an instant nothing stands there.
/// Fails with Why::not_empty or Why::exists if it is not empty.
[[nodiscard]] Result<> rename_dir(const std::filesystem::path& from, const Dir& to_dir,
                                  const std::string& to);
/// Renames the directory `from` to a path that a caller gave, and that must be free. Fails with
/// Why::exists if it is taken. If the system refuses such a rename, this checks the path and then
/// renames. That replaces an empty directory which another process makes in between.
[[nodiscard]] Result<> rename_dir_out(const Dir& from_dir, const std::string& from,
                                      const std::filesystem::path& to);
/// Returns whether a directory can be renamed while a program has a file below it open.
[[nodiscard]] bool renames_directories_in_use() noexcept;
/// Exchanges two names that exist. Fails with Errc::unsupported if the system or the file system
/// refuses it. Fails with Why::interrupted if a signal interrupted the call. Only then may the
/// names have been exchanged although it failed, and the caller must look. The call is not made
/// again, because a second exchange would undo the first.
[[nodiscard]] Result<> exchange(const Dir& from_dir, const std::string& from, const Dir& to_dir,
                                const std::string& to);

}  // namespace larder::os
