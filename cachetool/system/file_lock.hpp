// SPDX-License-Identifier: MIT
// Locks of open files, to try out: such a lock ends when the last descriptor of the open file is
// closed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <system_error>

namespace cachetool::system {

/// An open file that can be locked. Destroying it ends its locks.
class LockableFile {
public:
    /// Opens the file, or makes it. If that fails, try_lock reports it.
    explicit LockableFile(const std::filesystem::path& path);
    ~LockableFile();
    LockableFile(const LockableFile&) = delete;
    LockableFile& operator=(const LockableFile&) = delete;

    /// Locks one byte exclusively, without waiting, or the whole file if there is no `byte`. The
    /// byte need not exist. Fails with resource_unavailable_try_again or permission_denied if
    /// another open file has a lock there.
    [[nodiscard]] std::error_code try_lock(std::optional<std::uint64_t> byte = std::nullopt);

private:
    std::intptr_t file_;  ///< a descriptor, or a HANDLE of Windows
};

}  // namespace cachetool::system
