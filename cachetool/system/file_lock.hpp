// SPDX-License-Identifier: MIT
// Locks of files, to try out.
#pragma once

#include <filesystem>
#include <system_error>

namespace cachetool::system {

enum class FileLockOwner {
    process,    ///< the lock belongs to the process and ends with it
    open_file,  ///< the lock belongs to the open file and ends when all its descriptors are closed
};

/// Returns false if this system knows no such locks.
[[nodiscard]] bool knows_locks_of(FileLockOwner owner);

/// An open file that can be locked as a whole. Destroying it ends the lock.
class LockableFile {
public:
    /// Opens the file, or makes it. If that fails, try_lock reports it.
    explicit LockableFile(const std::filesystem::path& path);
    ~LockableFile();
    LockableFile(const LockableFile&) = delete;
    LockableFile& operator=(const LockableFile&) = delete;

    /// Locks the file exclusively, without waiting. Fails with resource_unavailable_try_again or
    /// permission_denied if another owner has locked it.
    [[nodiscard]] std::error_code try_lock(FileLockOwner owner);

private:
    int descriptor_;
};

}  // namespace cachetool::system
