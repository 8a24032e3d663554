// SPDX-License-Identifier: MIT
#include "os/file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <array>

#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/posix/like_windows.hpp"
#include "os/posix/platform.hpp"

namespace larder::os {

namespace {

/// Returns the flags of open(2) for a mode. No mode follows a symlink or lets a program inherit the
/// descriptor.
int flags_of(OpenMode mode) noexcept {
    constexpr int always = O_CLOEXEC | O_NOFOLLOW;
    switch (mode) {
        case OpenMode::read:
            return always | O_RDONLY;
        case OpenMode::read_nonblocking:
            return always | O_RDONLY | O_NONBLOCK;
        case OpenMode::read_write:
            return always | O_RDWR;
        case OpenMode::open_or_create:
            return always | O_RDWR | O_CREAT;
        case OpenMode::create_new:
            return always | O_WRONLY | O_CREAT | O_EXCL;
    }
    return always | O_RDONLY;
}

std::error_code last_error() noexcept { return {errno, std::system_category()}; }

/// Opens a file that an interrupted call with OpenMode::create_new may have made. The file is taken
/// for ours if it is empty and has this one name: see the rules in fd.hpp. Returns a descriptor for
/// writing; none if the file is not taken for ours.
Fd open_if_just_made(const Dir& parent, const char* name) noexcept {
    const int flags = flags_of(OpenMode::create_new) & ~(O_CREAT | O_EXCL);
    Fd file(retry([&] { return ::openat(fd_of(parent.handle), name, flags); }));
    if (!file) return {};
    const auto info = try_stat(file);
    if (!info || !info->is_regular() || info->size != 0 || info->links != 1) return {};
    return file;
}

/// Opens a file. Returns no descriptor, and sets errno, if that fails.
Fd open_as(const Dir& parent, const char* name, OpenMode mode, Permissions permissions) noexcept {
    if ((errno = like_windows::error_of_open()) != 0) return {};
    bool interrupted = false;
    const auto open = [&] {
        return ::openat(fd_of(parent.handle), name, flags_of(mode),
                        static_cast<mode_t>(permissions));
    };
    Fd file(retry(open, interrupted));
    if (!file && mode == OpenMode::create_new && interrupted && errno == EEXIST) {
        file = open_if_just_made(parent, name);
        if (!file) errno = EEXIST;
    }
    return file;
}

}  // namespace

Result<FileHandle> open_at(const Dir& parent, const std::string& name, OpenMode mode,
                           Permissions permissions) {
    Fd file = open_as(parent, name.c_str(), mode, permissions);
    if (!file) return fail(errno, "open", parent / name);
    return file;
}

CallResult<FileHandle> try_open_at(const Dir& parent, const char* name, OpenMode mode) noexcept {
    Fd file = open_as(parent, name, mode, private_file);
    if (!file) return tl::unexpected(last_error());
    return file;
}

Result<FileHandle> open_to_append(const std::filesystem::path& path) {
    // A path of the caller's may name a terminal or a pipe: do not wait for it, and do not make it
    // the terminal of this process.
    constexpr int flags = O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    Fd file(retry([&] { return ::open(path.c_str(), flags | O_RDWR, 0600); }));
    // The right to write is enough.
    if (!file) file = Fd(retry([&] { return ::open(path.c_str(), flags | O_WRONLY, 0600); }));
    if (!file) return fail(errno, "open", path);
    return file;
}

CallResult<std::size_t> read_some(const FileHandle& file, char* to, std::size_t size) noexcept {
    const ssize_t got = retry([&] {
        if ((errno = like_windows::error_of_read(fd_of(file), size)) != 0) return ssize_t{-1};
        return ::read(fd_of(file), to, size);
    });
    if (got < 0) return tl::unexpected(last_error());
    return static_cast<std::size_t>(got);
}

CallResult<std::size_t> read_at(const FileHandle& file, void* to, std::size_t size,
                                std::uint64_t offset) noexcept {
    std::size_t got = 0;
    while (got < size) {
        const ssize_t more = retry([&] {
            errno = like_windows::error_of_read_at(fd_of(file), offset + got, size - got);
            if (errno != 0) return ssize_t{-1};
            return ::pread(fd_of(file), static_cast<char*>(to) + got, size - got,
                           static_cast<off_t>(offset + got));
        });
        if (more < 0) return tl::unexpected(last_error());
        if (more == 0) break;
        got += static_cast<std::size_t>(more);
    }
    return got;
}

std::error_code write_at(const FileHandle& file, const void* from, std::size_t size,
                         std::uint64_t offset) noexcept {
    for (std::size_t put = 0; put < size;) {
        const ssize_t more = retry([&] {
            errno = like_windows::error_of_write_at(fd_of(file), offset + put, size - put);
            if (errno != 0) return ssize_t{-1};
            return ::pwrite(fd_of(file), static_cast<const char*>(from) + put, size - put,
                            static_cast<off_t>(offset + put));
        });
        // A write of no bytes sets no errno. It counts as a full disk: trying again might never
        // end.
        if (more == 0) errno = ENOSPC;
        if (more <= 0) return last_error();
        put += static_cast<std::size_t>(more);
    }
    return {};
}

std::error_code set_size(const FileHandle& file, std::uint64_t size) noexcept {
    if (retry([&] { return ::ftruncate(fd_of(file), static_cast<off_t>(size)); }) != 0)
        return last_error();
    return {};
}

Result<> write_all(const FileHandle& file, std::string_view bytes,
                   const std::filesystem::path& path) {
    while (!bytes.empty()) {
        const ssize_t put = retry([&] {
            if ((errno = like_windows::error_of_write(fd_of(file), bytes.size())) != 0)
                return ssize_t{-1};
            return ::write(fd_of(file), bytes.data(), bytes.size());
        });
        if (put == 0) errno = ENOSPC;  // as in write_at
        if (put <= 0) return fail(errno, "write", path);
        bytes.remove_prefix(static_cast<std::size_t>(put));
    }
    return {};
}

void write_once(const FileHandle& file, std::string_view bytes) noexcept {
    (void)retry([&] { return ::write(fd_of(file), bytes.data(), bytes.size()); });
}

Result<> remove_file_at(const Dir& parent, const std::string& name) {
    if (const int error = like_windows::error_of_delete())
        return fail(error, "remove", parent / name);
    bool interrupted = false;
    const auto remove = [&] { return ::unlinkat(fd_of(parent.handle), name.c_str(), 0); };
    // The call that was interrupted may have removed the file: see the rules in fd.hpp.
    if (retry(remove, interrupted) == 0 || (interrupted && errno == ENOENT)) return {};
    return fail(errno, "remove", parent / name);
}

Result<> sync(const FileHandle& file, const std::filesystem::path& path) {
    if (const int error = point("os.sync")) return fail(error, "sync", path);
    if (retry([&] { return platform::sync_file(fd_of(file)); }) == 0) return {};
    const int error = errno;
    const Why why = why_of(error);
    // A disk that is full or has failed has answered, and data may be lost. Any other error is a
    // refusal of the call itself; then the whole file system can be synced instead.
    if (ends_at_once(why) || why == Why::io) return fail(error, "sync", path);
    if (retry([&] { return platform::sync_all(fd_of(file)); }) == 0) return {};
    // If there is no call for a whole file system, the first error says more.
    return fail(why_of(errno) == Why::not_supported ? error : errno, "sync", path);
}

std::error_code close(FileHandle file) noexcept {
    // As in FileHandle::close: the descriptor is closed even if the call fails with EINTR.
    if (::close(static_cast<int>(file.release())) != 0 && errno != EINTR) return last_error();
    return {};
}

std::error_code keep_across_exec(const FileHandle& file) noexcept {
    const int flags = retry([&] { return ::fcntl(fd_of(file), F_GETFD); });
    if (flags < 0 || retry([&] { return ::fcntl(fd_of(file), F_SETFD, flags & ~FD_CLOEXEC); }) != 0)
        return last_error();
    return {};
}

}  // namespace larder::os
