// SPDX-License-Identifier: MIT
// Junctions on Linux that acts like Windows. A fake junction is a regular file with the data that
// Windows keeps, and a checksum. So it is set in its place, whatever its name is by then, and a
// rename does not replace it. An empty file stands for the empty directory that a killed process
// leaves. The path "/tmp/c" has the drive "C:".
#include "os/posix/like_windows.hpp"

#if defined(LARDER_POINTS) && defined(__linux__)

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cstring>
#include <thread>

#include "os/points.hpp"
#include "os/posix/fd.hpp"
#include "os/windows/reparse.hpp"

namespace larder::os::like_windows {

namespace {

constexpr std::string_view drive = "C:";

std::uint32_t checksum_of(std::string_view data) {
    boost::crc_32_type crc;
    crc.process_bytes(data.data(), data.size());
    return static_cast<std::uint32_t>(crc.checksum());
}

/// Returns what a file holds that stands for a junction to `target`; an empty text if none can.
std::string bytes_of(const std::string& target) {
    std::string path = std::string(drive) + target;
    std::replace(path.begin(), path.end(), '/', '\\');
    auto data = windows::junction_data(path);
    if (!data) return {};
    const std::uint32_t checksum = checksum_of(*data);
    return data->append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
}

/// Returns where such a file leads; an empty text if it does not hold the data of a junction, or if
/// it was set again while it was read.
std::string target_of(std::string_view bytes) {
    constexpr std::size_t header = 8;
    std::uint32_t checksum = 0;
    if (bytes.size() < header) return {};
    // What is behind the checksum belongs to a longer target that stood there before.
    const std::size_t size = header + windows::reparse_number(bytes, 4);
    if (bytes.size() < size + sizeof checksum) return {};
    std::memcpy(&checksum, bytes.data() + size, sizeof checksum);
    const std::string_view data = bytes.substr(0, size);
    if (checksum != checksum_of(data)) return {};
    auto target = windows::parse_junction(data);
    if (!target || !target->starts_with(drive)) return {};
    target->erase(0, drive.size());
    std::replace(target->begin(), target->end(), '\\', '/');
    return *std::move(target);
}

/// Opens a fake junction, or another regular file. Returns 0, or the error: EINVAL for what stands
/// there and is no regular file.
int open_regular(int dir, const char* path, int flags, Fd& opened) noexcept {
    if (const int error = error_of_open()) return error;
    constexpr int always = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    opened = Fd(retry([&] { return ::openat(dir, path, flags | always); }));
    const bool is_other_kind = errno == ELOOP || errno == EISDIR || errno == ENXIO;
    if (!opened) return is_other_kind ? EINVAL : errno;
    struct stat info {};
    if (::fstat(opened.get(), &info) != 0) return errno;
    return S_ISREG(info.st_mode) ? 0 : EINVAL;
}

/// Reads where an open file leads. Returns 0, or the error.
int read_target(int fd, std::string& target) {
    // Arbitrary: a process that sets it again writes it in one call, and so for an instant.
    constexpr int max_tries = 1000;
    std::array<char, windows::max_reparse_data + sizeof(std::uint32_t)> bytes;
    for (int tries = 1;; ++tries) {
        const ssize_t size = retry([&] { return ::pread(fd, bytes.data(), bytes.size(), 0); });
        if (size < 0) return errno;
        target = target_of({bytes.data(), static_cast<std::size_t>(size)});
        if (!target.empty()) return 0;
        // A file of another kind never becomes a junction.
        const std::string_view begin(bytes.data(), static_cast<std::size_t>(size));
        const bool may_be_one =
            begin.size() >= 4 && windows::reparse_number(begin, 2) == windows::junction_tag >> 16U;
        if (!may_be_one || tries == max_tries) return EINVAL;
        std::this_thread::yield();
    }
}

/// Writes all bytes of a fake junction in one call, which no kill divides. Returns 0, or the error.
/// Calls the kernel itself, because a test may put a pwrite of its own in the place of the system's
/// that writes a part.
int write_bytes(int fd, std::string_view bytes) noexcept {
    if (bytes.empty()) return EINVAL;
    const auto size =
        retry([&] { return ::syscall(SYS_pwrite64, fd, bytes.data(), bytes.size(), 0); });
    if (size < 0) return errno;
    return static_cast<std::size_t>(size) == bytes.size() ? 0 : ENOSPC;
}

}  // namespace

CallResult<std::string> read_junction(int dir, const char* path) {
    Fd file;
    std::string target;
    int error = open_regular(dir, path, O_RDONLY, file);
    if (error == 0) error = read_target(file.get(), target);
    if (error != 0) return tl::unexpected(std::error_code(error, std::system_category()));
    return target;
}

int make_junction(int dir, const char* name, const std::string& target) {
    const std::string bytes = bytes_of(target);
    if (bytes.empty()) return EINVAL;
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
    const Fd file(retry([&] { return ::openat(dir, name, flags, 0644); }));
    if (!file) return errno;
    (void)point("junction.made");
    const int error = write_bytes(file.get(), bytes);
    if (error != 0) (void)::unlinkat(dir, name, 0);
    return error;
}

int open_junction(int dir, const char* name, FileHandle& opened) {
    Fd file;
    std::string target;
    int error = open_regular(dir, name, O_RDWR, file);
    struct stat info {};
    if (error == 0 && ::fstat(file.get(), &info) != 0) error = errno;
    if (error == 0 && info.st_size != 0) error = read_target(file.get(), target);
    if (error == 0) opened = std::move(file);
    return error;
}

int set_junction(const FileHandle& junction, const std::string& target) {
    return write_bytes(fd_of(junction), bytes_of(target));
}

bool is_unset_junction(int dir, const char* name) noexcept {
    struct stat info {};
    if (::fstatat(dir, name, &info, AT_SYMLINK_NOFOLLOW) != 0) return false;
    return S_ISREG(info.st_mode) && info.st_size == 0;
}

int error_of_replacing(int dir, const char* name) {
    if (!is_like_windows()) return 0;
    Fd file;
    std::string target;
    if (open_regular(dir, name, O_RDONLY, file) != 0) return 0;
    return read_target(file.get(), target) == 0 ? EACCES : 0;
}

}  // namespace larder::os::like_windows

#endif
