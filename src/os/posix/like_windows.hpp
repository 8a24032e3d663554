// SPDX-License-Identifier: MIT
// What the calls of os/posix ask before they do something that Windows refuses, or does in another
// way. Each function returns at once that nothing is in the way unless os::is_like_windows().
#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <string>

#include "os/file_lock.hpp"
#include "os/like_windows.hpp"

namespace larder::os::like_windows {

/// Whether a call waits for a program that is in its way, as long as on Windows.
enum class Waiting { no, yes };

#if defined(LARDER_POINTS) && defined(__linux__)

/// Returns the error of a rename of `name`: EACCES if that is a directory, and a process has
/// something open below it. Returns 0 if Windows would rename it. Looks at the descriptors of all
/// processes that this one may look at, and at no mapping of a file that was
/// closed. What a process opens after this look is not seen.
[[nodiscard]] int error_of_open_below(int dir, const char* name, Waiting waiting);

/// Return the error that a test has chosen for the next call: as if another program had the file
/// open, and were still in the way when Windows gives up to try again. Return 0 if it has not.
[[nodiscard]] int error_of_open();
[[nodiscard]] int error_of_rename();
[[nodiscard]] int error_of_delete();

/// Returns the error of a read or write of these bytes: ETXTBSY if another open file has locked
/// some of them; 0 if none has.
[[nodiscard]] int error_of_read_at(int fd, std::uint64_t offset, std::size_t size) noexcept;
[[nodiscard]] int error_of_write_at(int fd, std::uint64_t offset, std::size_t size) noexcept;
/// Do the same for the bytes from the present position on.
[[nodiscard]] int error_of_read(int fd, std::size_t size) noexcept;
[[nodiscard]] int error_of_write(int fd, std::size_t size) noexcept;

/// Like os::try_lock and os::is_locked, with the traps that windows/file_lock.cpp tells of: the
/// locks lie behind the data, a lock that becomes exclusive is released first, and a look takes the
/// lock for an instant.
[[nodiscard]] CallResult<bool> try_lock(const FileHandle& file, Mode mode, const Range& range);
[[nodiscard]] CallResult<bool> is_locked(const FileHandle& file, const Range& range);

/// Do what os/link.hpp says of junctions; those that return an int return the error. A fake one is
/// a file, whose bytes fake_junctions.cpp tells.
[[nodiscard]] CallResult<std::string> read_junction(int dir, const char* path);
[[nodiscard]] int make_junction(int dir, const char* name, const std::string& target);
[[nodiscard]] int open_junction(int dir, const char* name, FileHandle& opened);
[[nodiscard]] int set_junction(const FileHandle& junction, const std::string& target);
[[nodiscard]] bool is_unset_junction(int dir, const char* name) noexcept;
/// Returns the error of a rename over `name`: EACCES if a junction stands there, which no rename
/// replaces.
[[nodiscard]] int error_of_replacing(int dir, const char* name);

#else

[[nodiscard]] inline int error_of_open_below(int, const char*, Waiting) { return 0; }
[[nodiscard]] inline int error_of_open() { return 0; }
[[nodiscard]] inline int error_of_rename() { return 0; }
[[nodiscard]] inline int error_of_delete() { return 0; }
[[nodiscard]] inline int error_of_read_at(int, std::uint64_t, std::size_t) noexcept { return 0; }
[[nodiscard]] inline int error_of_write_at(int, std::uint64_t, std::size_t) noexcept { return 0; }
[[nodiscard]] inline int error_of_read(int, std::size_t) noexcept { return 0; }
[[nodiscard]] inline int error_of_write(int, std::size_t) noexcept { return 0; }
[[nodiscard]] inline CallResult<bool> try_lock(const FileHandle&, Mode, const Range&) {
    return false;
}
[[nodiscard]] inline CallResult<bool> is_locked(const FileHandle&, const Range&) { return false; }
[[nodiscard]] inline CallResult<std::string> read_junction(int, const char*) {
    return tl::unexpected(std::error_code(ENOTSUP, std::system_category()));
}
[[nodiscard]] inline int make_junction(int, const char*, const std::string&) { return ENOTSUP; }
[[nodiscard]] inline int open_junction(int, const char*, FileHandle&) { return ENOTSUP; }
[[nodiscard]] inline int set_junction(const FileHandle&, const std::string&) { return ENOTSUP; }
[[nodiscard]] inline bool is_unset_junction(int, const char*) noexcept { return false; }
[[nodiscard]] inline int error_of_replacing(int, const char*) { return 0; }

#endif

}  // namespace larder::os::like_windows
