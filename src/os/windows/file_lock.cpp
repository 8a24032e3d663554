// SPDX-License-Identifier: MIT
// Locks by LockFileEx. Such a lock belongs to a handle, and has none of the traps that
// os/file_lock.hpp tells of. It has others:
//   1. It is mandatory: no other handle can write to the locked bytes, or read them if the lock is
//      exclusive. So all locks lie far behind the data of a file, from byte 2^62 on.
//   2. It is released only by its exact range, and a second lock of one handle may conflict with
//      the first. So this file remembers the locks of each handle.
//   3. Windows does not tell whether a byte is locked. So is_locked takes the lock for an instant.
//      Meanwhile another process may find it taken, and therefore try_lock tries more than once. If
//      the system stops the looking process just then, try_lock may still say that a lock is taken
//      which no process holds.
//   4. The right to read a file is enough for an exclusive lock of it. So a user who may read the
//      file can hold up all others.
//   5. The system frees the locks of a process that was ended a moment after its end.
#include "os/file_lock.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

#include "os/file_system.hpp"
#include "os/unique.hpp"
#include "os/windows/held_locks.hpp"
#include "os/windows/nt.hpp"

namespace larder::os {

namespace {

struct HeldLock {
    Range bytes;
    Mode mode;
};

/// The locks of all handles of this process.
class LockTable {
public:
    static LockTable& instance() {
        // Never destroyed: locks may be held until the very end of the process.
        static LockTable* const table = new LockTable;
        return *table;
    }

    std::mutex mutex;  // guards `locks`
    std::map<FileHandle::Native, std::vector<HeldLock>> locks;
};

OVERLAPPED start_of(const Range& bytes) noexcept {
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(bytes.start);
    place.OffsetHigh = static_cast<DWORD>(bytes.start >> 32U);
    return place;
}

/// Takes a lock if it is free. Returns the system's error; 0 if there was none.
DWORD take(HANDLE file, Mode mode, const Range& bytes) noexcept {
    OVERLAPPED place = start_of(bytes);
    const DWORD flags =
        LOCKFILE_FAIL_IMMEDIATELY | (mode == Mode::exclusive ? LOCKFILE_EXCLUSIVE_LOCK : 0);
    if (::LockFileEx(file, flags, 0, static_cast<DWORD>(bytes.length),
                     static_cast<DWORD>(bytes.length >> 32U), &place))
        return 0;
    return ::GetLastError();
}

DWORD release(HANDLE file, const Range& bytes) noexcept {
    OVERLAPPED place = start_of(bytes);
    if (::UnlockFileEx(file, 0, static_cast<DWORD>(bytes.length),
                       static_cast<DWORD>(bytes.length >> 32U), &place))
        return 0;
    return ::GetLastError();
}

/// Returns whether an error says that another handle has the lock.
bool says_taken(DWORD error) noexcept {
    return error == ERROR_LOCK_VIOLATION || error == ERROR_IO_PENDING;
}

/// Takes a lock if it is free. Tries more than once, because a process that only looks has it for
/// an instant. Returns the system's error; 0 if there was none.
DWORD take_unless_held(HANDLE file, Mode mode, const Range& bytes) noexcept {
    constexpr int most_tries = 4;  // arbitrary: such an instant is two system calls
    for (int tries = 1;; ++tries) {
        const DWORD error = take(file, mode, bytes);
        if (!says_taken(error) || tries == most_tries) return error;
        std::this_thread::yield();
    }
}

tl::unexpected<Error> lock_refused(DWORD error, const std::filesystem::path& path) {
    return fail(static_cast<int>(error), "lock", path,
                "this file system refuses file locks (LockFileEx); name a directory on another "
                "file system");
}

}  // namespace

void windows::forget_locks(FileHandle::Native handle) noexcept {
    auto& table = LockTable::instance();
    const std::lock_guard guard(table.mutex);
    table.locks.erase(handle);
}

Result<bool> try_lock(const FileHandle& file, Mode mode, const Range& range,
                      const std::filesystem::path& path) {
    const HANDLE handle = windows::handle_of(file);
    const Range bytes = range.behind_data();
    auto& table = LockTable::instance();
    const std::lock_guard guard(table.mutex);
    auto& held = table.locks[file.native()];
    held.reserve(held.size() + 1);  // no memory is needed once the lock is taken
    const auto own = std::find_if(held.begin(), held.end(),
                                  [&](const HeldLock& lock) { return lock.bytes == bytes; });
    if (own != held.end() && own->mode == mode) return true;
    if (own != held.end() && own->mode == Mode::shared) {
        // The handle's own lock is in the way of the new one. Only here a lock may be lost: another
        // process may take the bytes in between, and then this handle has no lock any more.
        if (const DWORD error = release(handle, bytes)) return lock_refused(error, path);
        if (take_unless_held(handle, Mode::exclusive, bytes) == 0) {
            own->mode = Mode::exclusive;
            return true;
        }
        if (take_unless_held(handle, Mode::shared, bytes) != 0) held.erase(own);
        return false;
    }
    const DWORD error = take_unless_held(handle, mode, bytes);
    if (says_taken(error)) return false;
    if (error != 0) return lock_refused(error, path);
    if (own == held.end()) {
        held.push_back({bytes, mode});
        return true;
    }
    // The handle has two locks now. The first release takes the exclusive one away.
    own->mode = mode;
    if (const DWORD released = release(handle, bytes)) return lock_refused(released, path);
    return true;
}

Result<> unlock(const FileHandle& file, const std::filesystem::path& path) {
    auto& table = LockTable::instance();
    const std::lock_guard guard(table.mutex);
    const auto found = table.locks.find(file.native());
    if (found == table.locks.end()) return {};
    DWORD first = 0;
    for (const HeldLock& lock : found->second) {
        const DWORD error = release(windows::handle_of(file), lock.bytes);
        if (first == 0) first = error;
    }
    table.locks.erase(found);
    if (first != 0) return fail(static_cast<int>(first), "unlock", path);
    return {};
}

Result<bool> is_locked(const FileHandle& file, const Range& range,
                       const std::filesystem::path& path) {
    const Range bytes = range.behind_data();
    // By a handle of its own: the locks of `file` itself would be in the way.
    FileHandle looker;
    const NTSTATUS status = windows::reopen(looker, windows::handle_of(file),
                                            {.access = FILE_READ_DATA | FILE_READ_ATTRIBUTES});
    if (status < 0) return lock_refused(static_cast<DWORD>(windows::error_of(status)), path);
    const HANDLE handle = windows::handle_of(looker);
    const DWORD error = take(handle, Mode::exclusive, bytes);
    if (error == 0) {
        (void)release(handle, bytes);
        return false;
    }
    if (!says_taken(error)) return lock_refused(error, path);
    auto& table = LockTable::instance();
    const std::lock_guard guard(table.mutex);
    const auto found = table.locks.find(file.native());
    if (found == table.locks.end()) return true;
    for (const HeldLock& lock : found->second) {
        const bool apart = lock.bytes.start + lock.bytes.length <= bytes.start ||
                           bytes.start + bytes.length <= lock.bytes.start;
        if (apart) continue;
        // The file's own exclusive lock keeps all others out. Beside its shared lock there may be
        // others, which Windows does not tell: then the answer is that there are none.
        return false;
    }
    return true;
}

// Windows has no cleaners that lock what they clean.
bool hold_off_cleaners(const Dir&) noexcept { return false; }

Result<FileLock> FileLock::open(const Dir& dir, const std::string& name, OpenMode mode) {
    TRY_ASSIGN(FileHandle file, open_at(dir, name, mode));
    return FileLock(std::move(file), dir / name);
}

FileLock::~FileLock() {
    // Closing alone would release the lock only when the system gets to it.
    if (file_ && is_held_) (void)unlock(file_, {});
}

}  // namespace larder::os
