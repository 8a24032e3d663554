// SPDX-License-Identifier: MIT
// Advisory locks that belong to an open file, not to a process.
//
// Locks of a process (fcntl's on POSIX, which boost::interprocess::file_lock takes) have four
// traps:
//   1. a second object on the same file in one process also gets the lock, and so does a second
//      copy of this library;
//   2. the lock is dropped when anything in the process closes any descriptor of the file;
//   3. the first of two holders in one process to unlock it drops it for both;
//   4. after an exec the same process id gets what it holds already.
// A registry for each process mends 2 and 3. It does not mend 1 and 2 if two copies of the library
// live in one process, because neither sees the other's registry. A lock of an open file
// description (F_OFD_SETLK, POSIX.1-2024) has none of the four.
//
// Such a lock has a trap of its own: a forked child shares the open file, and the lock would
// outlive its owner for as long as the child runs. Every lock that is taken here is therefore
// closed in a forked child before fork returns there.
//
// Lock files are made once and never unlinked: unlinking one would admit a second owner.
#pragma once

#include <cstdint>
#include <optional>

#include "os/file.hpp"

namespace larder::os {

enum class Mode { shared, exclusive };

/// The whole file, or one byte of it. That byte need not exist.
struct Range {
    std::uint64_t start = 0;
    std::uint64_t length = 0;  ///< 0 means up to the end, whatever the file's size

    static Range whole() noexcept { return {}; }
    static Range byte(std::uint64_t at) noexcept { return {at & 0x3fff'ffff'ffff'ffffU, 1}; }
};

/// Takes the lock if it is free, and never waits. Returns whether it was taken.
[[nodiscard]] Result<bool> try_lock(const FileHandle& file, Mode mode, const Range& range,
                                    const std::filesystem::path& path);
[[nodiscard]] Result<> unlock(const FileHandle& file, const std::filesystem::path& path);
/// Returns whether an exclusive lock by another open file would be refused now.
[[nodiscard]] Result<bool> is_locked(const FileHandle& file, const Range& range,
                                     const std::filesystem::path& path);

/// One lock, held from try_lock to the destructor.
/// Fork: the child holds nothing, and the destructor there touches nothing.
class FileLock {
public:
    /// Makes the file if it is missing. Returns nothing if the lock is taken.
    [[nodiscard]] static Result<std::optional<FileLock>> try_lock(
        const Dir& dir, const std::string& name, Mode mode, const Range& range = Range::whole());
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

private:
    explicit FileLock(FileHandle file) noexcept;
    FileHandle file_;
    std::uint64_t owner_ = 0;
};

/// Returns whether this lock is held, exclusively or shared. That is a hint, and old as soon as it
/// is given.
enum class State { missing, free, taken };
[[nodiscard]] Result<State> look_at(const Dir& dir, const std::string& name,
                                    const Range& range = Range::whole());

}  // namespace larder::os
