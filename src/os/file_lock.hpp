// SPDX-License-Identifier: MIT
// Advisory locks that belong to an open file, not to a process.
//
// Locks of a process (F_SETLK of POSIX, which boost::interprocess::file_lock takes) have four
// traps:
//   1. A second object on the same file in one process also gets the lock. So does a second copy of
//      this library.
//   2. The lock is dropped as soon as any code in the process closes any descriptor of the file.
//   3. If two holders in one process share the lock, the first one to unlock drops it for both.
//   4. After an execve, the new program has the same process id, and so gets the lock a second
//      time.
// A registry of the locks in each process helps against some of these traps, but only for one copy
// of the library: a second copy in the same process has a registry of its own. A lock of an open
// file description (F_OFD_SETLK, POSIX.1-2024) has none of the four traps.
//
// Such a lock has a trap of its own: a forked child shares the open file, so the lock would outlive
// its owner for as long as the child runs. Therefore every FileLock is closed in a forked child
// before fork returns there. A lock that the function try_lock takes stays with the child: a
// participant's lock must (see cache/participant.hpp).
//
// A cache's file of the locks is made once, and only a destroy unlinks it. If it were unlinked
// while the cache is used, another process would make and lock a new file of that name, and there
// would be two owners. A lease table and `format` may be unlinked or replaced by a process that has
// their lock. So a process that locks one of them asks still_has_name.
//
// Many locks may be bytes of one file. So trap 2 would let go of all of them at once.
#pragma once

#include <cstdint>
#include <optional>

#include "os/file.hpp"

namespace larder::os {

/// How a lock is held: by any number of holders at a time, or by one alone.
enum class Mode { shared, exclusive };

/// The part of a file that a lock covers: the whole file, or one byte, which need not exist.
struct Range {
    std::uint64_t start = 0;
    std::uint64_t length = 0;  ///< 0 means up to the end, whatever the file's size
    friend bool operator==(const Range&, const Range&) = default;

    static Range whole() noexcept { return {}; }
    /// Requires: `at` is less than 2^62, because off_t has a sign, and start plus length must fit
    /// as well.
    static Range byte(std::uint64_t at) noexcept { return {at, 1}; }

    /// Returns the same part of the bytes from 2^62 on. They lie behind the data of every file, so
    /// a lock there hinders no read and no write, also on a system whose locks are mandatory. A
    /// range without an end covers all bytes there that a lock can have.
    [[nodiscard]] Range behind_data() const noexcept {
        constexpr std::uint64_t end_of_data = std::uint64_t{1} << 62U;
        return {end_of_data + start, length == 0 ? end_of_data - start : length};
    }
};

/// Takes the lock for the open file if it is free, and never waits. Returns whether it was taken.
/// If this open file has another lock on the range already, the new one replaces it. Errors: the
/// system's if the file system or a sandbox refuses locks, so that a caller does not wait in vain.
/// `path` is for messages.
[[nodiscard]] Result<bool> try_lock(const FileHandle& file, Mode mode, const Range& range,
                                    const std::filesystem::path& path);
/// Releases every lock of the open file, also for a forked child that shares it. `path` is for
/// messages.
[[nodiscard]] Result<> unlock(const FileHandle& file, const std::filesystem::path& path);
/// Returns whether an exclusive lock on the range would be refused now, because another open file
/// has a lock there. The answer may be out of date at once.
[[nodiscard]] Result<bool> is_locked(const FileHandle& file, const Range& range,
                                     const std::filesystem::path& path);

/// Takes a shared lock by flock(2) on a directory, if no process has an exclusive one. Cleaners of
/// temporary files lock each directory exclusively before they look into it, and pass over it if
/// they can't (systemd-tmpfiles). Such a lock and those above do not see each other. It belongs to
/// the open directory, so it ends with the last handle of it. Returns whether it was taken.
bool hold_off_cleaners(const Dir& dir) noexcept;

/// One lock, held from try_lock to the destructor. It has an open file of its own, so it keeps out
/// every other lock of the file, also one of the same thread.
/// Fork: the child does not hold the lock, and the destructor in the child touches nothing.
class FileLock {
public:
    /// Opens the lock file, and takes no lock yet. `mode` says whether the file is made if it is
    /// missing.
    [[nodiscard]] static Result<FileLock> open(const Dir& dir, const std::string& name,
                                               OpenMode mode = OpenMode::open_or_create);
    /// Takes the lock if it is free, and never waits. Returns false if another process or another
    /// object holds it. Requires: this object has no lock yet.
    [[nodiscard]] Result<bool> try_lock(Mode mode, const Range& range);
    /// Returns whether another process or another object has a lock on the range. The answer is
    /// only a hint: it may be out of date at once.
    [[nodiscard]] Result<bool> is_taken(const Range& range) const;

    /// Opens the lock file, makes it if it is missing, and takes the lock if it is free. Returns
    /// nullopt if another process or another object holds it.
    [[nodiscard]] static Result<std::optional<FileLock>> try_lock(
        const Dir& dir, const std::string& name, Mode mode, const Range& range = Range::whole());
    /// Takes the lock of a whole file, exclusively, and makes no file. Such a file may be unlinked
    /// or replaced by a process that has its lock, so ask still_has_name afterwards. Errors:
    /// Why::absent if there is no such file.
    [[nodiscard]] static Result<std::optional<FileLock>> try_lock_existing(const Dir& dir,
                                                                           const std::string& name);
    FileLock(FileLock&& other) noexcept;
    FileLock& operator=(FileLock&& other) noexcept;
    ~FileLock();

    /// Returns the file, which is open for reading and writing.
    [[nodiscard]] const FileHandle& file() const noexcept { return file_; }

private:
    /// Requires: HeldLocks has opened the file.
    FileLock(FileHandle file, std::filesystem::path path) noexcept;
    FileHandle file_;  // none if the lock was moved away
    std::filesystem::path path_;
    bool is_held_ = false;
    // The token of the process that opened the file. In a forked child it is not that of
    // this_process.
    std::uint64_t owner_ = 0;
};

/// Returns whether a file that was opened by this name still has it. Call it after the file was
/// locked, if a process that has the lock may unlink the file.
[[nodiscard]] Result<bool> still_has_name(const FileHandle& file, const Dir& dir,
                                          const std::string& name);

/// The state of a lock. `missing`: its file does not exist, so no process holds the lock.
enum class State { missing, free, taken };
/// Returns whether a process holds the lock, exclusively or shared. The answer is only a hint: it
/// may be out of date at once.
[[nodiscard]] Result<State> look_at(const Dir& dir, const std::string& name,
                                    const Range& range = Range::whole());

}  // namespace larder::os
