// SPDX-License-Identifier: MIT
// Advisory locks that belong to an open file, not to a process.
//
// Why not boost::interprocess::file_lock, which is a process-owned fcntl lock on POSIX:
//   1. a second object on the same file in one process also "gets" the lock, and so does a second copy of this library;
//   2. closing any descriptor of the file anywhere in the process drops it, also one that somebody else's code had opened;
//   3. the first of two holders in one process to unlock it drops it for both;
//   4. after execve the same pid "gets" what it holds already.
// 2 and 3 can be mended by a registry for each process; 1 and 2 can't be where two copies of the library live in one process, since
// neither sees the other's registry. A lock of an open file description (F_OFD_SETLK, POSIX.1-2024) has none of the four.
// It has a trap of its own: a forked child shares the open file, so that the lock would outlive its owner for as long as the child
// runs. Every lock taken here is therefore closed in a forked child before fork returns there.
//
// Lock files are created once and never unlinked: unlinking one would admit a second owner.
#pragma once

#include <cstdint>
#include <optional>

#include "os/file.hpp"

namespace larder::os {

enum class Mode { shared, exclusive };

/// The whole file, or one byte of it, which need not exist.
struct Range {
    std::uint64_t start = 0;
    std::uint64_t length = 0;  ///< 0: up to the end, whatever the file's size

    static Range whole() noexcept { return {}; }
    static Range byte(std::uint64_t at) noexcept { return {at & 0x3fff'ffff'ffff'ffffU, 1}; }
};

/// Whether the lock was had. Never waits.
[[nodiscard]] Result<bool> try_lock_fd(int fd, Mode mode, const Range& range,
                                       const std::filesystem::path& path);
[[nodiscard]] Result<> unlock_fd(int fd, const std::filesystem::path& path);
/// Whether an exclusive lock by another open file would be refused now.
[[nodiscard]] Result<bool> is_locked_fd(int fd, const Range& range,
                                        const std::filesystem::path& path);

/// One lock, held from try_lock to the destructor.
/// Fork: the child holds nothing, and its destructor touches nothing.
class FileLock {
public:
    /// Creates the file where it is missing. Nothing where somebody else holds the lock.
    [[nodiscard]] static Result<std::optional<FileLock>> try_lock(
        const os::Dir& dir, const std::string& name, Mode mode,
        const Range& range = Range::whole());
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

private:
    explicit FileLock(os::Fd fd) noexcept;
    os::Fd fd_;
    std::uint64_t owner_ = 0;
};

/// Whether somebody holds this lock, exclusively or shared: a hint, old as soon as it is given.
enum class State { missing, free, taken };
[[nodiscard]] Result<State> look_at(const os::Dir& dir, const std::string& name,
                                    const Range& range = Range::whole());

}  // namespace larder::os
